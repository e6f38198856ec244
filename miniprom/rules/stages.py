"""Which rules of a group may be evaluated on one snapshot: those that don't read what a rule before wrote.

Upstream evaluates rule by rule, each seeing the samples of the rules before it. A stage gives the same
answers with one snapshot, one visit to a worker thread and one append, and its rules share what they compute.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from miniprom.rules.model import AlertingRule, Rule
from miniprom.rules.templating import asks_queries
from query.language import ast
from query.language.walk import walk
from tsdb import METRIC_NAME, Matcher

ALERTS: Final = "ALERTS"
ALERTS_FOR_STATE: Final = "ALERTS_FOR_STATE"


def stages_of(rules: Sequence[Rule]) -> tuple[range, ...]:
    """The rules' positions in order, cut before each rule that may read what its stage has written."""
    stages = []
    start = 0
    written: set[str] = set()
    for position, rule in enumerate(rules):
        if written and _may_read(rule, written):
            stages.append(range(start, position))
            start, written = position, set()
        written |= _written(rule)
    return (*stages, range(start, len(rules)))


def _written(rule: Rule) -> set[str]:
    return {ALERTS, ALERTS_FOR_STATE} if isinstance(rule, AlertingRule) else {rule.name}


def _may_read(rule: Rule, names: Iterable[str]) -> bool:
    if isinstance(rule, AlertingRule):
        texts = (text for _, text in (*rule.labels, *rule.annotations))
        if any(asks_queries(text) for text in texts):
            return True
    return any(
        all(matcher.matches(name) for matcher in matchers)
        for matchers in _name_matchers(rule.expr)
        for name in names
    )


def _name_matchers(expr: ast.Expr) -> Iterator[list[Matcher]]:
    """For each selector, what it asks of the metric's name; `info()` selects by itself, and may any."""
    for node in walk(expr):
        if isinstance(node, ast.VectorSelector):
            yield [matcher for matcher in node.matchers if matcher.name == METRIC_NAME]
        elif isinstance(node, ast.Call) and node.function == "info":
            yield []
