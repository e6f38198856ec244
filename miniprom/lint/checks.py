"""The checks: one function each, and a table of them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from collector.units import format_duration_ms
from miniprom.lint.facts import Data, MetricFacts, Note, listed
from miniprom.rules.model import AlertingRule, Rule
from miniprom.rules.states import AT_ONCE
from query.language.ast import (
    Aggregation,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Span,
    VectorSelector,
)
from query.language.operations import COMPARISONS
from query.language.printer import format_expr
from query.language.walk import children, walk
from tsdb import METRIC_NAME, Matcher

_SCRAPES_IN_A_RANGE: Final = 4
_MANY_FLAPS: Final = 3
_OF_COUNTERS: Final = frozenset({"rate", "irate", "increase", "resets"})
_OF_GAUGES: Final = frozenset({"delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing"})
_ABSENCE: Final = frozenset({"absent", "absent_over_time"})
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ZERO_MAY_DO: Final[Mapping[str, Callable[[float], bool]]] = {
    "==": lambda number: number == 0,
    "<": lambda number: number > 0,
    "<=": lambda number: number >= 0,
}
"""The comparisons of a count for which none at all should do."""

Found = Iterator[tuple[str, Span]]


@dataclass(frozen=True)
class Subject:
    """What a check looks at. `recorded` are the names that recording rules write."""

    rule: Rule
    data: Data
    recorded: Collection[str]

    def facts(self, selector: VectorSelector) -> MetricFacts | None:
        """What is known of the metric that a selector names, if it names one."""
        return self.data.metric(selector.name) if selector.name else None


def lint(rule: Rule, data: Data, recorded: Collection[str] = ()) -> list[Note]:
    """What the data says against a rule, in order of its expression."""
    subject = Subject(rule, data, recorded)
    notes = [Note(name, *found) for name, check in CHECKS.items() for found in check(subject)]
    return sorted(notes, key=lambda note: note.span.start)


def _unknown_metric(subject: Subject) -> Found:
    """A name that no series has."""
    for selector in _selectors(subject.rule.expr):
        name = selector.name
        if name is None or name in subject.recorded or name.startswith("ALERTS"):
            continue
        if subject.data.metric(name) is None:
            near = get_close_matches(name, subject.data.names(), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield f"no series of {name} has been seen{hint}", selector.span


def _unknown_label(subject: Subject) -> Found:
    """A label, or a label's value, that no series of the metric has."""
    for selector in _selectors(subject.rule.expr):
        facts = subject.facts(selector)
        if facts is None:
            continue
        matchers = [matcher for matcher in selector.matchers if matcher.name != METRIC_NAME]
        for matcher in matchers:
            values = {dict(labels).get(matcher.name, "") for labels in facts.series}
            if not any(matcher.matching(values)):
                yield _no_value(selector, matcher, facts, values - {""}), selector.span
                break
        else:
            if matchers and not any(_matches(matchers, dict(labels)) for labels in facts.series):
                yield f"no series of {selector.name} matches all of the labels", selector.span


def _no_value(selector: VectorSelector, matcher: Matcher, facts: MetricFacts, values: set[str]) -> str:
    if values:
        return f"{matcher} matches no series of {selector.name}; {matcher.name} has been {listed(values)}"
    names = facts.label_names - {METRIC_NAME}
    return f"no series of {selector.name} has the label {matcher.name}; there are {listed(names, 10)}"


def _matches(matchers: Collection[Matcher], labels: Mapping[str, str]) -> bool:
    return all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)


def _unknown_grouping(subject: Subject) -> Found:
    """`by` a label that none of the aggregated metrics has."""
    for node in walk(subject.rule.expr):
        if not isinstance(node, Aggregation) or node.without or _makes_labels(node.expr):
            continue
        facts = [subject.facts(selector) for selector in _selectors(node.expr)]
        names = frozenset[str]().union(*(each.label_names for each in facts if each))
        if None not in facts and facts:
            for label in node.grouping:
                if label not in names:
                    yield f"no series below has the label {label}, by which is grouped", node.span


def _makes_labels(expr: Expr) -> bool:
    makers = ("label_replace", "label_join", "info")
    return any(
        (isinstance(node, Call) and node.function in makers)
        or (isinstance(node, Aggregation) and node.op == "count_values")
        for node in walk(expr)
    )


def _range(subject: Subject) -> Found:
    """A range in which there are too few samples, or that reaches back too far."""
    retention_ms = subject.data.retention_ms
    for node in walk(subject.rule.expr):
        if not isinstance(node, MatrixSelector) or not isinstance(node.range, NumberLiteral):
            continue
        range_ms = int(node.range.value * 1000)
        facts = subject.facts(node.selector)
        least_ms = _SCRAPES_IN_A_RANGE * facts.interval_ms if facts else 0
        shown = format_duration_ms(range_ms)
        if range_ms < least_ms:
            least = format_duration_ms(least_ms)
            yield (
                f"the range {shown} is shorter than four scrape intervals, {least}: gaps will show",
                node.span,
            )
        if 0 < retention_ms < range_ms:
            yield (
                f"the range {shown} is longer than samples are kept, {format_duration_ms(retention_ms)}",
                node.span,
            )


def _quantile(subject: Subject) -> Found:
    """A quantile compared with what it can't exceed: the upper bound of the last finite bucket."""
    for node, inner, op, number in _comparisons(subject.rule.expr):
        quantiles = (each for each in walk(inner) if isinstance(each, Call))
        for quantile in quantiles:
            top = _top_bound(subject, quantile) if quantile.function == "histogram_quantile" else None
            if top is not None and (number >= top if op in (">", "==") else number > top and op == ">="):
                yield (
                    f"never {op} {number:g}: the buckets end at {top:g}, which no quantile exceeds",
                    node.span,
                )


def _top_bound(subject: Subject, quantile: Call) -> float | None:
    """The largest finite bucket bound that is known."""
    facts = [subject.facts(selector) for selector in _selectors(quantile)]
    texts = {dict(labels).get("le", "+Inf") for each in facts if each for labels in each.series}
    return max((float(text) for text in texts - {"+Inf"}), default=None)


def _empty_count(subject: Subject) -> Found:
    """A count that should be 0, but is empty then."""
    for node, inner, op, number in _comparisons(subject.rule.expr):
        is_count = isinstance(inner, Aggregation) and inner.op == "count" and not inner.grouping
        if is_count and op in _ZERO_MAY_DO and _ZERO_MAY_DO[op](number):
            message = "the count of nothing is empty, not 0: write `(... or vector(0))`, or absent()"
            yield message, node.span


def _wrong_kind(subject: Subject) -> Found:
    """A function of counters on a gauge, or the other way round."""
    for node in walk(subject.rule.expr):
        if not isinstance(node, Call) or node.function not in _OF_COUNTERS | _OF_GAUGES:
            continue
        wrong = "gauge" if node.function in _OF_COUNTERS else "counter"
        for selector in _selectors(node):
            facts = subject.facts(selector)
            if facts and facts.kind == wrong:
                yield f"{selector.name} is a {wrong}, which {node.function}() is not for", node.span


def _flapping(subject: Subject) -> Found:
    """An alert that fires at once, though its condition comes and goes."""
    rule = subject.rule
    if not isinstance(rule, AlertingRule) or rule.timing != AT_ONCE:
        return
    flaps = subject.data.flaps(format_expr(rule.expr))
    if flaps >= _MANY_FLAPS:
        yield f"the condition ended {flaps} times in the last hour: give the alert a `for`", rule.expr.span


CHECKS: Final[Mapping[str, Callable[[Subject], Found]]] = {
    "unknown-metric": _unknown_metric,
    "unknown-label": _unknown_label,
    "unknown-grouping": _unknown_grouping,
    "range": _range,
    "quantile-above-buckets": _quantile,
    "empty-count": _empty_count,
    "wrong-kind": _wrong_kind,
    "flapping-without-for": _flapping,
}


def _selectors(expr: Expr) -> Iterator[VectorSelector]:
    """The selectors of a tree but those whose absence is asked for."""
    if isinstance(expr, Call) and expr.function in _ABSENCE:
        return
    if isinstance(expr, VectorSelector):
        yield expr
    for child in children(expr):
        yield from _selectors(child)


def _comparisons(expr: Expr) -> Iterator[tuple[Binary, Expr, str, float]]:
    """Comparisons with a number: the whole, the other side, and operator and number as if it stood right."""
    for node in walk(expr):
        if isinstance(node, Binary) and node.op in COMPARISONS:
            lhs, rhs = _bare(node.lhs), _bare(node.rhs)
            if isinstance(rhs, NumberLiteral):
                yield node, lhs, node.op, rhs.value
            elif isinstance(lhs, NumberLiteral):
                yield node, rhs, _MIRRORED.get(node.op, node.op), lhs.value


def _bare(expr: Expr) -> Expr:
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr
