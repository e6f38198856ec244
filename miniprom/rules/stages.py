"""Which rules of a group may be evaluated on one snapshot.

Upstream evaluates rule by rule, each seeing the samples of the rules before it. A stage gives the same
answers with one snapshot, one visit to a worker thread and one append, and its rules share what they compute.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from miniprom.rules.model import AlertingRule, Rule
from miniprom.rules.templating import asks_queries
from query.language import ast
from query.language.walk import walk
from tsdb import METRIC_NAME, Matcher, MatchOp

ALERTS: Final = "ALERTS"
ALERTS_FOR_STATE: Final = "ALERTS_FOR_STATE"

Stage: TypeAlias = tuple[int, ...]
"""Positions of rules in their group, ascending."""


def stages_of(rules: Sequence[Rule]) -> tuple[Stage, ...]:
    """Each rule in the first stage that is late enough.

    That is after the rules before it whose series it may read; not before those that may read its series,
    or that write them, too: rules of the same name.
    """
    seen = _Seen()
    stages: list[list[int]] = []
    for position, rule in enumerate(rules):
        stage = seen.place(rule)
        while len(stages) <= stage:
            stages.append([])
        stages[stage].append(position)
    return tuple(tuple(stage) for stage in stages)


@dataclass
class _Seen:
    """The last stages of the rules placed so far: by kind and name, by the metrics that they write, by those
    that they read, and by the matchers of those that they read otherwise.
    """

    named: dict[tuple[type, str], int] = field(default_factory=dict)
    writers: dict[str, int] = field(default_factory=dict)
    readers: dict[str, int] = field(default_factory=dict)
    open_readers: list[tuple[list[Matcher], int]] = field(default_factory=list)

    def place(self, rule: Rule) -> int:
        reads, writes = list(_reads(rule)), _writes(rule)
        stage = max(
            *(self._after_writers(matchers) for matchers in reads),
            *(self._with_readers(name) for name in writes),
            self.named.get((type(rule), rule.name), 0),
        )
        self.named[type(rule), rule.name] = stage
        for matchers in reads:
            name = _literal_name(matchers)
            if name is None:
                self.open_readers.append((matchers, stage))
            else:
                self.readers[name] = max(stage, self.readers.get(name, 0))
        for name in writes:
            self.writers[name] = max(stage, self.writers.get(name, 0))
        return stage

    def _after_writers(self, matchers: list[Matcher]) -> int:
        name = _literal_name(matchers)
        names = self.writers if name is None else self.writers.keys() & {name}
        return max((self.writers[name] + 1 for name in names if _all_match(matchers, name)), default=0)

    def _with_readers(self, name: str) -> int:
        readers = (stage for matchers, stage in self.open_readers if _all_match(matchers, name))
        return max(self.readers.get(name, 0), *readers, 0)


def _writes(rule: Rule) -> tuple[str, ...]:
    return (ALERTS, ALERTS_FOR_STATE) if isinstance(rule, AlertingRule) else (rule.name,)


def _reads(rule: Rule) -> Iterator[list[Matcher]]:
    """For each selector, what it asks of the metric's name. `info()` and templates may select anything."""
    for node in walk(rule.expr):
        if isinstance(node, ast.VectorSelector):
            yield [matcher for matcher in node.matchers if matcher.name == METRIC_NAME]
        elif isinstance(node, ast.Call) and node.function == "info":
            yield []
    templates = (*rule.labels, *rule.annotations) if isinstance(rule, AlertingRule) else ()
    if any(asks_queries(text) for _, text in templates):
        yield []


def _literal_name(matchers: Sequence[Matcher]) -> str | None:
    return next((matcher.value for matcher in matchers if matcher.op is MatchOp.EQUAL), None)


def _all_match(matchers: Sequence[Matcher], name: str) -> bool:
    return all(matcher.matches(name) for matcher in matchers)
