"""What was asked of a fake, and what of it a test should have noticed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from miniprom.testing.control import Control
from miniprom.testing.errors import TestingError
from miniprom.testing.transport import USER_AGENT

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here


@dataclass(frozen=True)
class Request:
    """One request, and its answer."""

    id: int
    time: float
    """Of the fake's clock, unix seconds."""
    wall_ms: float
    method: str
    path: str
    params: Mapping[str, str | Sequence[str]]
    status: int
    headers: Mapping[str, str]
    response: str
    """The beginning of the body."""
    query: str | None = None
    parsed: str | None = None
    """The query as all its spellings are written; None if it has a fault."""
    kind: str | None = None
    error_type: str | None = None
    error: str | None = None
    result_type: str | None = None
    series: int | None = None
    samples_read: int | None = None
    series_read: int | None = None
    empty: bool = False
    why: Sequence[str] = ()
    """Why the answer was empty."""
    metrics: Sequence[str] = ()
    unknown_metrics: Sequence[str] = ()
    """Metrics in the query that were never there."""
    warnings: Sequence[str] = ()
    infos: Sequence[str] = ()
    fault: int | None = None
    """The fault that it met."""
    tenant: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether the test asked through its own client, and not the code under test."""
        agent = {name.lower(): value for name, value in self.headers.items()}.get("user-agent", "")
        return agent == USER_AGENT

    @property
    def has_failed(self) -> bool:
        """An error that no fault caused."""
        return self.status >= 400 and self.fault is None

    def __str__(self) -> str:
        parts = [f"{self.method} {self.path} {self.status}"]
        if self.error:
            parts.append(f"{self.error_type}: {self.error}")
        elif self.series is not None:
            parts.append(f"{self.result_type} of {self.series} series")
        if self.fault is not None:
            parts.append(f"fault {self.fault}")
        parts.append(f"{self.wall_ms:.1f} ms")
        lines = [f"#{self.id} " + ", ".join(parts)]
        if self.query:
            lines.append(f"    {' '.join(self.query.split())}")
        lines += [f"    empty: {reason}" for reason in self.why]
        return "\n".join(lines)


_FIELDS = frozenset(field.name for field in fields(Request))


class Journal:
    """The methods of a fake that look back."""

    _control: Control
    _noticed: set[int]
    _expected_unknown: set[str]

    def journal(self, since: int = 0) -> list[Request]:
        """Every request after the one with this id, the test's own included."""
        entries = self._control.ask("GET", f"journal?since={since}")
        return [
            Request(**{name: value for name, value in entry.items() if name in _FIELDS}) for entry in entries
        ]

    @property
    def requests(self) -> list[Request]:
        """What the code under test asked since the last reset."""
        return [request for request in self.journal() if not request.is_own]

    @property
    def queries(self) -> list[str]:
        """The PromQL in these requests."""
        return [request.query for request in self.requests if request.query]

    def assert_queried(self, query: str, *, kind: str | None = None, times: int | None = None) -> None:
        """That the code under test asked this query, however it spelled it: at all, or so many times.

        `kind` may be "instant" or "range".
        """
        answer = self._ask_for(query, kind)
        found = answer["found"]
        if found == times or (times is None and found):
            return
        how_often = f"asked {found} times, not {times}" if found else "never asked"
        nearest = "\n".join(f"  {near['query']}\n    {near['difference']}" for near in answer["nearest"])
        asked = f"; nearest are\n{nearest}" if nearest else "; nothing like it was asked"
        raise AssertionError(f"was {how_often}: {query}{asked}")

    def assert_not_queried(self, query: str, *, kind: str | None = None) -> None:
        """That the code under test did not ask this query, in any spelling."""
        found = self._ask_for(query, kind)["found"]
        assert not found, f"was asked {found} times: {query}"

    @contextmanager
    def expect_error(self, *, status: int | None = None, match: str | None = None) -> Iterator[None]:
        """That the block meets an error of the API that no fault caused, which strict mode then lets pass.

        Of the status, if one is given, and with a text in which the regular expression `match` is found.
        """
        before = max((request.id for request in self.journal()), default=0)
        yield
        failed = [request for request in self.journal(before) if request.has_failed]
        met = [
            request
            for request in failed
            if status in {None, request.status} and re.search(match or "", request.error or request.response)
        ]
        if not met:
            others = "\n".join(map(str, failed)) or "  every request succeeded"
            raise AssertionError(f"no request failed as expected (status {status}, match {match})\n{others}")
        self._noticed.update(request.id for request in met)

    def expect_unknown(self, *metrics: str) -> None:
        """Let strict mode pass queries for these metrics, which are not there on purpose."""
        self._expected_unknown.update(metrics)

    def oversights(self) -> list[str]:
        """What strict mode fails a test for: metrics that were never there, errors that nobody expected."""
        found = []
        for request in self.journal():
            unknown = set(request.unknown_metrics) - self._expected_unknown
            if unknown:
                found.append(f"a query for {', '.join(sorted(unknown))}, never loaded or scraped\n{request}")
            if request.has_failed and not request.is_own and request.id not in self._noticed:
                found.append(f"an error that no fault caused and no `expect_error` expects\n{request}")
        return found

    def _ask_for(self, query: str, kind: str | None) -> dict[str, Any]:
        if kind not in {None, "instant", "range"}:
            raise TestingError(f'kind "{kind}"; expected "instant" or "range"')
        body = {"query": query, "except_user_agent": USER_AGENT, **({"kind": kind} if kind else {})}
        answer: dict[str, Any] = self._control.ask("POST", "assert", body)
        return answer
