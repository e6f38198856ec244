"""The client of a fake: what a real Prometheus answers, and what only a fake does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from miniprom.testing.clock import Clock
from miniprom.testing.control import Control
from miniprom.testing.exposition import Scrapable, page_of
from miniprom.testing.faults import Faults
from miniprom.testing.journal import Journal
from miniprom.testing.loading import Loading
from miniprom.testing.prometheus import Prometheus
from miniprom.testing.times import Time, time_on_wire
from miniprom.testing.transport import Transport

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here


@dataclass(frozen=True)
class Snapshot:
    """A state of a fake to come back to."""

    id: str | int


@dataclass(frozen=True)
class Scraped:
    """What became of a scrape. True if the target was up; `error` says why it was not."""

    is_up: bool
    samples: int
    error: str | None = None

    def __bool__(self) -> bool:
        return self.is_up


class FakePrometheus(Prometheus, Loading, Faults, Journal):
    """A `miniprom fake`, or one tenant of it."""

    def __init__(
        self, url: str, control_url: str | None = None, *, tenant: str | None = None, timeout: float = 30.0
    ) -> None:
        """`control_url`, which the server prints beside its URL, answers also while that refuses.

        The URL of a tenant is its own; the control API is told its name.
        """
        super().__init__(url, timeout=timeout)
        self._control_url = control_url or url
        self._control = Control(Transport(self._control_url, timeout=timeout), tenant)
        self.clock = Clock(self._control)
        self._noticed: set[int] = set()
        self._expected_unknown: set[str] = set()
        self._tenants: dict[str, FakePrometheus] = {}

    def close(self) -> None:
        """Close the connections, those to tenants included."""
        super().close()
        self._control.close()
        for tenant in self._tenants.values():
            tenant.close()

    def now(self) -> float:
        """The time of the fake's clock, in unix seconds."""
        return self.clock.now()

    def reset(self, now: Time | None = None) -> None:
        """As new: no samples, faults, journal, configuration; the clock at its start, or at a time."""
        self._control.ask("POST", "reset", {} if now is None else {"now": time_on_wire(now)})
        self._noticed.clear()
        self._expected_unknown.clear()

    def configure(self, prometheus_yml: str, rules: Mapping[str, str] | None = None) -> None:
        """Use a configuration, and rule files by their names. Raises `RefusedError`."""
        self._control.ask("POST", "config", {"config": prometheus_yml, "rules": dict(rules or {})})

    def scrape(
        self,
        target: Scrapable | Callable[..., Any],
        *,
        path: str = "/metrics",
        job: str = "test",
        instance: str = "localhost:80",
        labels: Mapping[str, str] | None = None,
    ) -> Scraped:
        """Scrape what lives in the test's process, now.

        `target`: a registry of prometheus_client; an ASGI or WSGI app, or a handler class of `http.server`
        (asked for `path`); a function that gives the page; or the page. One that does not answer 200, or
        whose page has a fault, is down; an exception passes through. Once for each time of the clock.
        """
        page = page_of(target, path)
        body: dict[str, Any] = {"job": job, "instance": instance, "labels": dict(labels or {})}
        if page.status != 200:
            body["error"] = f"server returned HTTP status {page.status}"
        else:
            body |= {"body": page.body, "content_type": page.content_type or "text/plain"}
        answer = self._control.ask("POST", "scrape", body)
        return Scraped(bool(answer["up"]), answer["samples"], answer["error"])

    def snapshot(self) -> Snapshot:
        """Samples, clock, configuration and faults as they are now."""
        return Snapshot(self._control.ask("POST", "snapshot", {})["id"])

    def restore(self, snapshot: Snapshot) -> None:
        """Everything as it was at the snapshot."""
        self._control.ask("POST", "restore", {"id": snapshot.id})

    def tenant(self, name: str) -> "FakePrometheus":
        """Another fake with a port of its own in the same process; the same one for the same name."""
        if name not in self._tenants:
            self._tenants[name] = self._new_tenant(name)
        return self._tenants[name]

    def _new_tenant(self, name: str) -> "FakePrometheus":
        url = self._control.ask("POST", "tenants", {"name": name})["url"]
        return FakePrometheus(url, self._control_url, tenant=name)


def client_of(url: str, control_url: str, tenant: str | None) -> FakePrometheus:
    """A client of a server, or of one of its tenants, which is made if it is not there."""
    client = FakePrometheus(url, control_url)
    if tenant is None:
        return client
    with client:
        return client._new_tenant(tenant)
