"""A server without sockets to the world: real parts, a store filled by hand, a clock that stands still."""

import asyncio
import json
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiohttp.test_utils import TestClient, TestServer

from collector.clock import VirtualClock
from miniprom.api.app import make_app
from miniprom.api.services import Phase
from miniprom.config import Config, parse_config
from miniprom.server import Server
from miniprom.settings import settings_of
from tsdb import Store, labels_from

NOW_MS = 1_700_000_000_000
NOW = NOW_MS // 1000

Params = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def text(self) -> str:
        return self.body.decode()


class Api:
    """Talks to the application under test, synchronously."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client: TestClient[Any, Any], server: Server) -> None:
        self._loop = loop
        self._client = client
        self.server = server

    @property
    def store(self) -> Store:
        return self.server.services.store

    def get(
        self, path: str, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self.request("GET", path, params=params, headers=headers)

    def post(self, path: str, form: Params | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("POST", path, data=form, headers=headers)

    def query(self, text: str, **params: str) -> Any:
        """The data of an instant query that must succeed."""
        answer = self.get("/api/v1/query", {"query": text, **params})
        assert answer.status == 200, answer.text
        return answer.data

    def request(self, method: str, path: str, **options: Any) -> Answer:
        async def ask() -> Answer:
            async with self._client.request(method, path, allow_redirects=False, **options) as response:
                return Answer(response.status, response.headers, await response.read())

        return self._loop.run_until_complete(ask())

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Work that goes on during requests."""
        return self._loop.create_task(work)

    def finish(self, task: "asyncio.Task[None]") -> None:
        """Let it come to its end."""
        self._loop.run_until_complete(task)

    def start_scraping(self) -> None:
        """Let the scraper know its jobs; the clock stands, so nothing is scraped."""
        services = self.server.services
        self._loop.run_until_complete(services.scrape.apply(services.config.scrape_configs))

    def start_rules(self) -> None:
        """Let the rule manager know its groups; the clock stands, so nothing is evaluated."""
        server = self.server
        settings = server.instance.rule_settings(server.services.config, server.rule_groups)
        self._loop.run_until_complete(server.services.rules.apply(settings))

    def add(self, labels: Mapping[str, str], points: Sequence[tuple[float, float]]) -> None:
        """Store samples: (seconds before now, value)."""
        ids = self.store.series_ids([labels_from(labels)])
        for seconds_ago, value in points:
            self.store.append(ids, NOW_MS - int(seconds_ago * 1000), np.array([value]))


@contextmanager
def serving(config: str = "", **flags: str) -> Iterator[Api]:
    """An API over an empty store, started with `flags`."""
    loop = asyncio.new_event_loop()
    given = {"web.listen-address": "127.0.0.1:0", **flags}
    loaded = parse_config(config, "prometheus.yml", {}) if config else Config()
    client: TestClient[Any, Any] | None = None

    async def start() -> Api:
        nonlocal client
        server = Server(settings_of(given), loaded, VirtualClock(NOW_MS))
        client = TestClient(TestServer(make_app(server.services)))
        await client.start_server()
        server.services.phase = Phase.READY
        return Api(loop, client, server)

    async def stop(api: Api) -> None:
        assert client is not None
        await client.close()
        await api.server.stop()

    api = loop.run_until_complete(start())
    try:
        yield api
    finally:
        loop.run_until_complete(stop(api))
        loop.close()
