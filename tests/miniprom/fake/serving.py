"""A fake in a thread of its own, and a client that says what came back."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from miniprom.fake.server import FakeServer

START = 1_700_000_000
CONTROL = "/-/fake/"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Fake:
    """Talks to one port of a fake, on a connection a request."""

    def __init__(self, url: str, control_url: str) -> None:
        self.url = url
        self.control_url = control_url

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    def at(self, url: str) -> "Fake":
        return Fake(url, self.control_url)

    def ask(
        self,
        method: str,
        path: str,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10,
    ) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def control(self, method: str, what: str, body: object = None, **headers: str) -> Any:
        """The data of a control request that must succeed."""
        answer = self.ask(method, CONTROL + what, None if body is None else json.dumps(body), headers)
        assert answer.status == 200, answer.body
        return answer.json["data"]

    def refused(self, what: str, body: object) -> str:
        """The error of a POST that must be the caller's fault."""
        answer = self.ask("POST", CONTROL + what, json.dumps(body))
        assert answer.status == 400, answer.body
        assert answer.json["errorType"] == "bad_data"
        return str(answer.json["error"])

    def load(self, series: Mapping[str, object], **fields: object) -> Any:
        return self.control("POST", "load", {"series": series, **fields})

    def advance(self, duration: str) -> None:
        self.control("POST", "clock", {"advance": duration})

    def query(self, text: str, **headers: str) -> Answer:
        return self.ask("GET", f"/api/v1/query?query={quote(text)}", headers=headers)

    def values(self, text: str) -> dict[str, str]:
        """The values of an instant vector by the series' labels but the name, as `a=1,b=2`."""
        result = self.query(text).json["data"]["result"]
        return {_shown(each["metric"]): each["value"][1] for each in result}

    def points(self, text: str) -> list[list[Any]]:
        """Times relative to START and values of the one series of a range selector."""
        [each] = self.query(text).json["data"]["result"]
        return [[time - START, value] for time, value in each["values"]]


def _shown(metric: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(metric.items()) if name != "__name__")


@contextmanager
def serving() -> Iterator[Fake]:
    started = threading.Event()
    loop = asyncio.new_event_loop()
    server = FakeServer(START * 1000)

    def work() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.start())
        started.set()
        loop.run_until_complete(server.stopped.wait())
        loop.run_until_complete(server.stop())
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(10)
    try:
        yield Fake(server.url, server.control_url)
    finally:
        loop.call_soon_threadsafe(server.stopped.set)
        thread.join(10)
        assert not thread.is_alive()
