"""A Kubernetes API server in memory: TLS, a bearer token, list with pages, watch with bookmarks, 410 Gone.

Source: Kubernetes API concepts. What it leaves out: everything that writes, and all selectors but `a=b`.
"""

import asyncio
import json
import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

Json = dict[str, Any]

BUILT_IN = {
    "api/v1/pods": "Pod",
    "api/v1/services": "Service",
    "api/v1/endpoints": "Endpoints",
    "api/v1/nodes": "Node",
    "api/v1/namespaces": "Namespace",
    "apis/discovery.k8s.io/v1/endpointslices": "EndpointSlice",
    "apis/networking.k8s.io/v1/ingresses": "Ingress",
    "apis/apps/v1/replicasets": "ReplicaSet",
    "apis/batch/v1/jobs": "Job",
}
_PATH = re.compile(r"(?P<api>api/v1|apis/[^/]+/[^/]+)/(namespaces/(?P<namespace>[^/]+)/)?(?P<plural>[a-z]+)")
_HANG_UP = None


@dataclass(frozen=True)
class Event:
    version: int
    collection: str
    type: str
    object: Json


@dataclass
class KubernetesApi:
    """The server. `put`, `delete` and the switches below may be used at any time, also before it runs."""

    folder: Path
    token: str = "secret"
    pages: Mapping[str, str] = field(default_factory=dict)
    """Other paths that answer with text, such as /metrics."""
    port: int = 0
    collections: dict[str, str] = field(default_factory=lambda: dict(BUILT_IN))
    """The kind of each collection; a custom resource definition adds one."""
    requests: list[str] = field(default_factory=list)
    version: int = 100
    _objects: dict[str, dict[tuple[str, str], Json]] = field(default_factory=dict)
    _events: list[Event] = field(default_factory=list)
    _oldest: int = 0
    _watchers: list[asyncio.Queue[Event | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        make_certificate(self.folder)
        self.write_token(self.token)
        (self.folder / "namespace").write_text("flux-system")

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What Kubernetes puts into the environment of a pod."""
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.port)}

    def write_token(self, token: str) -> None:
        """Rotate the token: the service account's folder has it, and no other is accepted."""
        self.token = token
        (self.folder / "token").write_text(token + "\n")

    def put(self, collection: str, item: Json) -> Json:
        """Create or replace an object."""
        metadata = item["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        stored = self._objects.setdefault(collection, {})
        kind = "MODIFIED" if key in stored else "ADDED"
        self.version += 1
        item = {**self._kind(collection), **item}
        item["metadata"] = {**metadata, "resourceVersion": str(self.version)}
        stored[key] = item
        self._tell(Event(self.version, collection, kind, item))
        return item

    def delete(self, collection: str, name: str, namespace: str = "") -> None:
        """Remove an object."""
        item = self._objects[collection].pop((namespace, name))
        self.version += 1
        item = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}}
        self._tell(Event(self.version, collection, "DELETED", item))

    def bookmark(self) -> None:
        """Tell all watchers the present version."""
        self.version += 1
        for queue in self._watchers:
            queue.put_nowait(Event(self.version, "", "BOOKMARK", {}))

    def forget(self) -> None:
        """Forget all events: who asks for a version from before gets 410 Gone."""
        self._events.clear()
        self._oldest = self.version

    def hang_up(self) -> None:
        """End all watches."""
        for queue in self._watchers:
            queue.put_nowait(_HANG_UP)

    @property
    def watchers(self) -> int:
        """How many watches are open."""
        return len(self._watchers)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["KubernetesApi"]:
        """Serve; the port stays the same when it is served again."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "ca.crt", self.folder / "ca.key")
        await web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=context).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            self.hang_up()
            await runner.cleanup()

    def _kind(self, collection: str, suffix: str = "") -> Json:
        version = collection.rpartition("/")[0].removeprefix("apis/").removeprefix("api/")
        return {"apiVersion": version, "kind": self.collections.get(collection, "") + suffix}

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        for queue in self._watchers:
            queue.put_nowait(event)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path_qs)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized")
        if request.path in self.pages:
            return web.Response(text=self.pages[request.path])
        match = _PATH.fullmatch(request.path[1:])
        collection = f"{match['api']}/{match['plural']}" if match else ""
        if not match or collection not in self.collections:
            return _status(404, "the server could not find the requested resource")
        wanted = _Wanted(collection, match["namespace"] or "", request.query)
        if "watch" in request.query:
            return await self._watch(request, wanted)
        return self._list(request, wanted)

    def _list(self, request: web.Request, wanted: "_Wanted") -> web.Response:
        items = [item for _, item in sorted(self._objects.get(wanted.collection, {}).items())]
        items = [item for item in items if wanted.holds(item)]
        version, start = self.version, 0
        if token := request.query.get("continue"):
            version, start = (int(number) for number in token.split(":"))
            if version < self._oldest:
                return _status(410, "The provided continue parameter is too old")
        end = start + int(request.query.get("limit", len(items)))
        metadata = {"resourceVersion": str(version)}
        if end < len(items):
            metadata["continue"] = f"{version}:{end}"
        kind = self._kind(wanted.collection, "List")
        return web.json_response({**kind, "metadata": metadata, "items": items[start:end] or None})

    async def _watch(self, request: web.Request, wanted: "_Wanted") -> web.StreamResponse:
        since = int(request.query["resourceVersion"])
        if since < self._oldest:
            return _status(410, f"too old resource version: {since} ({self._oldest})")
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        for past in self._events:
            queue.put_nowait(past)
        self._watchers.append(queue)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            while event := await queue.get():
                if event.version <= since:
                    continue
                if event.type == "BOOKMARK":
                    item: Json = self._kind(wanted.collection)
                    item["metadata"] = {"resourceVersion": str(event.version)}
                elif event.collection == wanted.collection and wanted.holds(event.object):
                    item = event.object
                else:
                    continue
                await response.write(json.dumps({"type": event.type, "object": item}).encode() + b"\n")
        finally:
            self._watchers.remove(queue)
        return response


@dataclass(frozen=True)
class _Wanted:
    collection: str
    namespace: str
    query: Mapping[str, str]

    def holds(self, item: Json) -> bool:
        metadata = item["metadata"]
        if self.namespace and metadata.get("namespace") != self.namespace:
            return False
        labels = metadata.get("labels", {})
        for condition in filter(None, self.query.get("labelSelector", "").split(",")):
            name, _, value = condition.partition("=")
            if labels.get(name) != value:
                return False
        for condition in filter(None, self.query.get("fieldSelector", "").split(",")):
            path, _, value = condition.partition("=")
            found: Any = item
            for part in path.split("."):
                found = found.get(part, {})
            if found != value:
                return False
        return True


def make_certificate(folder: Path) -> None:
    """A certificate for 127.0.0.1 that is its own authority: ca.crt and ca.key."""
    if (folder / "ca.crt").exists():
        return
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-days", "2", "-subj", "/CN=kube", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-addext", "basicConstraints=critical,CA:TRUE"),
            *("-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.crt")),
        ],
        check=True,
        capture_output=True,
    )


def _status(code: int, message: str) -> web.Response:
    return web.json_response(
        {"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "message": message},
        status=code,
    )
