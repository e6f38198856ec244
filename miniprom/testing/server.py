"""Where a fake runs: in a process, in a thread, or, instead of a fake, a real server."""

from typing import Protocol

from miniprom.testing.client import FakePrometheus


class Server(Protocol):
    """What the fixture `prometheus_server` gives."""

    keeps_journal: bool
    """Whether it can tell what it was asked."""

    @property
    def url(self) -> str:
        """Where the code under test asks."""

    def client(self, tenant: str | None = None) -> FakePrometheus:
        """A client of the server, or of one of its tenants. The caller closes it."""

    def death(self) -> str:
        """How the server ended, with its last words; empty while it runs."""

    def restart(self) -> None:
        """A new server, perhaps at another port, in place of one that died."""

    def stop(self) -> None:
        """End it, and leave nothing behind."""
