"""What a test did with its servers: whether all was noticed, and what a report says of it."""

from dataclasses import dataclass, field
from typing import Final

import pytest

from miniprom.testing.client import FakePrometheus
from miniprom.testing.errors import TestingError
from miniprom.testing.server import Server

_REPORTED_REQUESTS: Final = 10
_WHY: Final = "/api/v1/why"
"""Asked for the text of an empty answer; each request tells its own reasons."""


@dataclass
class Watch:
    """The clients of one test."""

    server: Server
    strict: bool
    clients: list[FakePrometheus] = field(default_factory=list)

    def verify(self) -> None:
        """Fails the test if the server died, or strict mode has something to say."""
        death = self.server.death()
        if death:
            pytest.fail(f"the fake Prometheus died during this test: {death}", pytrace=False)
        oversights = [text for client in self.clients for text in client.oversights()] if self.strict else []
        if oversights:
            pytest.fail("strict: " + "\nstrict: ".join(oversights), pytrace=False)

    def sections(self) -> list[tuple[str, str]]:
        """Title and text of each section of a failed test's report."""
        death = self.server.death()
        if death:
            return [("the fake Prometheus died", death)]
        return [(f"what {client.url} was asked", _tail(client)) for client in self.clients]


def _tail(client: FakePrometheus) -> str:
    try:
        requests = client.journal()
    except TestingError as error:
        return str(error)
    requests = [request for request in requests if request.path != _WHY]
    shown = [str(request) for request in requests[-_REPORTED_REQUESTS:]]
    if len(requests) > len(shown):
        shown.insert(0, f"... {len(requests) - len(shown)} earlier requests")
    return "\n".join(shown) or "nothing"
