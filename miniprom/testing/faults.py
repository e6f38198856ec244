"""Faults: what a Prometheus, and what it scrapes, may do to those who ask.

Each lasts until the next reset, until it is removed, or to the end of a `with` block:

    with prometheus.failing(status=503, path="/api/v1/query"):
        ...
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, TypedDict, Unpack

from miniprom.testing.control import Control
from miniprom.testing.times import Duration, duration_on_wire, seconds_of

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here


class When(TypedDict, total=False):
    """Which requests a fault meets: all, if nothing is given."""

    path: str
    """Such as "/api/v1/query", or a glob."""
    query: str
    """PromQL; spelling does not matter."""
    query_matches: str
    """RE2."""
    probability: float
    seed: int
    times: int
    """How many requests in all."""
    after: int
    """How many are let through first."""


class WhichTarget(TypedDict, total=False):
    """Which targets a fault meets: all, if nothing is given."""

    job: str
    instance: str
    times: int
    after: int


class Fault:
    """A fault that is there; leaving a `with` block, or `remove`, ends it."""

    def __init__(self, control: Control, fault_id: int) -> None:
        self._control = control
        self.id = fault_id

    def remove(self) -> None:
        """End it; once is enough, and a reset does it, too."""
        self._control.ask("DELETE", f"faults/{self.id}")

    def __enter__(self) -> "Fault":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


class Faults:
    """The methods of a fake that break it."""

    _control: Control

    def failing(
        self,
        status: int = 503,
        error_type: str = "unavailable",
        error: str = "a fault",
        **when: Unpack[When],
    ) -> Fault:
        """Answer with an error of the API."""
        return self._fault("error", when, status=status, error_type=error_type, error=error)

    def slow(self, seconds: Duration | Mapping[str, Any], **when: Unpack[When]) -> Fault:
        """Answer late: after a duration, or one drawn from {"distribution": "lognormal", ...}."""
        return self._fault("latency", when, seconds=_seconds(seconds))

    def hanging(self, **when: Unpack[When]) -> Fault:
        """Never answer."""
        return self._fault("hang", when)

    def truncating(self, bytes: int = 20, **when: Unpack[When]) -> Fault:  # noqa: A002  the field's name
        """Close the connection after so many bytes of the body."""
        return self._fault("truncate", when, bytes=bytes)

    def malformed(self, **when: Unpack[When]) -> Fault:
        """Answer with what is no JSON."""
        return self._fault("malformed", when)

    def resetting(self, **when: Unpack[When]) -> Fault:
        """Reset the connection instead of answering."""
        return self._fault("reset", when)

    def refusing(self, seconds: float | None = None) -> Fault:
        """Close the port, so that connections are refused; open the same one again at the end."""
        return self._fault("refuse", {}, **({} if seconds is None else {"seconds": seconds}))

    def empty(self, **when: Unpack[When]) -> Fault:
        """Answer queries with no series."""
        return self._fault("empty", when)

    def nan(self, **when: Unpack[When]) -> Fault:
        """Answer queries with NaN in place of every value."""
        return self._fault("nan", when)

    def extra_series(self, labels: Mapping[str, str], value: float, **when: Unpack[When]) -> Fault:
        """Answer queries with one more series."""
        return self._fault("extra_series", when, labels=dict(labels), value=value)

    def warning(self, *warnings: str, infos: Sequence[str] = (), **when: Unpack[When]) -> Fault:
        """Answer queries with warnings and infos."""
        return self._fault("warnings", when, warnings=list(warnings), infos=list(infos))

    def target_down(self, **which: Unpack[WhichTarget]) -> Fault:
        """Scrapes fail."""
        return self._fault("target_down", which)

    def target_slow(self, **which: Unpack[WhichTarget]) -> Fault:
        """Scrapes take longer than their timeout."""
        return self._fault("target_slow", which)

    def target_counter_reset(self, **which: Unpack[WhichTarget]) -> Fault:
        """Counters begin again at zero."""
        return self._fault("target_counter_reset", which)

    def target_garbage(self, **which: Unpack[WhichTarget]) -> Fault:
        """Targets answer with what is no exposition."""
        return self._fault("target_garbage", which)

    def _fault(self, kind: str, when: Mapping[str, Any], **fields: Any) -> Fault:
        data = self._control.ask("POST", "faults", {"kind": kind, **fields, **when})
        return Fault(self._control, data["id"])


def _seconds(seconds: Duration | Mapping[str, Any]) -> Any:
    return dict(seconds) if isinstance(seconds, Mapping) else seconds_of(duration_on_wire(seconds))
