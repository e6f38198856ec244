"""What is to go wrong: which requests or scrapes a fault meets, and how often. Pure."""

import random
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from miniprom.fake.asked import Asked
from miniprom.fake.errors import FakeError
from miniprom.fake.fault_kinds import KINDS, WHICH
from miniprom.fake.fields import Fields
from query import ParseError, ParserOptions, parse
from query.language.ast import Expr
from query.language.normal import is_same
from tsdb import BadMatcherError, Matcher, MatchOp


@dataclass(eq=False)
class Fault:
    """One fault; `settings` are those of its kind."""

    id: int
    kind: str
    given: Mapping[str, Any]
    """As it was asked for."""
    settings: Mapping[str, Any]
    path: str = "*"
    query: Expr | None = None
    query_matches: Matcher | None = None
    job: str | None = None
    instance: str | None = None
    probability: float = 1.0
    times: int | None = None
    after: int = 0
    chance: random.Random = field(default_factory=random.Random)
    met: int = 0
    """How often it came to pass."""

    def meets_request(self, path: str, asked: Asked | None) -> bool:
        """Whether it comes to pass with a request; counts."""
        if not fnmatchcase(path, self.path):
            return False
        if self.query is not None:
            asks = None if asked is None else asked.expr
            if asks is None or not is_same(self.query, asks):
                return False
        if self.query_matches is not None and (asked is None or not self.query_matches.matches(asked.text)):
            return False
        return self._counts()

    def meets_target(self, labels: Mapping[str, str]) -> bool:
        """Whether it comes to pass with the scrape of a target; counts."""
        if self.job not in (None, labels.get("job")) or self.instance not in (None, labels.get("instance")):
            return False
        return self._counts()

    @property
    def is_spent(self) -> bool:
        return self.times is not None and self.met >= self.times

    def as_json(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {"id": self.id, **self.given, "met": self.met}

    def _counts(self) -> bool:
        if self.is_spent:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.probability < 1 and self.chance.random() >= self.probability:
            return False
        self.met += 1
        return True


class Faults:
    """The faults of a world, oldest first."""

    def __init__(self, last_id: int = 0) -> None:
        """Numbered from behind `last_id` on, so that the numbers of earlier ones mean no other."""
        self._faults: dict[int, Fault] = {}
        self.last_id = last_id

    def __len__(self) -> int:
        return len(self._faults)

    def __contains__(self, fault: Fault) -> bool:
        return self._faults.get(fault.id) is fault

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    def add(self, body: object, now_ms: int, options: ParserOptions) -> Fault:
        """Let something go wrong from now on. Raises `FakeError`."""
        fault = _read_fault(self.last_id + 1, body, now_ms, options)
        self.last_id = fault.id
        self._faults[fault.id] = fault
        return fault

    def had(self, fault_id: int) -> bool:
        """Whether there is or was a fault of the number."""
        return 0 < fault_id <= self.last_id

    def remove(self, fault_id: int) -> Fault | None:
        """The fault that was removed, None if there is none of the number."""
        return self._faults.pop(fault_id, None)

    def copied(self) -> "Faults":
        """The same faults, as often met as these, and with the same chances ahead."""
        copies = Faults(self.last_id)
        for fault in self:
            copies._faults[fault.id] = replace(fault, chance=copy(fault.chance))
        return copies

    def clear(self) -> None:
        self._faults = {}

    def of_request(self, path: str, asked: Asked | None) -> list[Fault]:
        """Those that come to pass with a request."""
        return [
            fault for fault in self if KINDS[fault.kind].of == "requests" and fault.meets_request(path, asked)
        ]

    def of_target(self, labels: Mapping[str, str]) -> list[Fault]:
        """Those that come to pass with a scrape."""
        return [fault for fault in self if KINDS[fault.kind].of == "targets" and fault.meets_target(labels)]


def _read_fault(fault_id: int, body: object, now_ms: int, options: ParserOptions) -> Fault:
    if not isinstance(body, dict):
        raise FakeError('fault: expected an object such as {"kind": "error", "status": 503}')
    kind = Fields(body, "fault", now_ms, body).one_of("kind", KINDS)
    known = KINDS[kind]
    fields = Fields(body, f"fault {kind}", now_ms, ("kind", *WHICH[known.of], *known.names))
    probability = fields.number("probability", 1.0)
    if not 0 <= probability <= 1:
        raise fields.wrong("probability", "a number from 0 to 1")
    return Fault(
        id=fault_id,
        kind=kind,
        given={name: value for name, value in body.items() if value is not None},
        settings=known.read(fields),
        path=fields.text("path", "*"),
        query=_query(fields, options),
        query_matches=_pattern(fields),
        job=fields.text("job") if "job" in fields else None,
        instance=fields.text("instance") if "instance" in fields else None,
        probability=probability,
        times=fields.whole("times", least=1) if "times" in fields else None,
        after=fields.whole("after", 0),
        chance=random.Random(fields.whole("seed", 0)),
    )


def _query(fields: Fields, options: ParserOptions) -> Expr | None:
    if "query" not in fields:
        return None
    try:
        return parse(fields.text("query"), options)
    except ParseError as error:
        raise FakeError(f"{fields.where}.query: {error}") from error


def _pattern(fields: Fields) -> Matcher | None:
    """Found anywhere in the query."""
    if "query_matches" not in fields:
        return None
    try:
        return Matcher("query", MatchOp.MATCHES, f"(?s:.*)(?:{fields.text('query_matches')})(?s:.*)")
    except BadMatcherError as error:
        raise FakeError(f"{fields.where}.query_matches: {error}") from error
