"""Random queries that mean something: over metrics that exist, by labels that they have, so that answers are
not empty. `generate(number)` is always the same query.

Each rule knows of its expression what the next one must know (`Term`), so that nothing is generated whose
answer is left open (which of two equal values is the greater?) or changed since 2.42 (known_differences.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final, TypeAlias

from tests.differential.samples import END_MS, START_MS
from tests.differential.vocabulary import (
    ARITHMETIC,
    CLAMPS,
    COMPARISONS,
    COUNTERS,
    DATES,
    DISTINCT,
    EXACT_AGGREGATIONS,
    EXACT_OVER_TIME,
    FINITE,
    JUMPING,
    METRICS,
    NUMBERS,
    OFFSETS,
    QUANTILES,
    RANGES,
    ROUNDING_OVER_TIME,
    SMOOTH,
    STEEP,
    STEPS,
    TARGET,
    TARGET_MATCHERS,
)


@dataclass(frozen=True)
class Term:
    """An expression and what is known of its values.

    `labels` tell its series apart. `exact`: computed without rounding, so that both programs take the same
    side where a function jumps. `finite`: neither NaN nor infinite.
    """

    text: str
    labels: frozenset[str]
    exact: bool = True
    finite: bool = True
    is_atom: bool = True

    @property
    def operand(self) -> str:
        return self.text if self.is_atom else f"({self.text})"

    @property
    def can_be_summed(self) -> bool:
        """Whether sums keep their digits uncompensated: functions of infinities may cancel each other."""
        return self.finite or self.exact

    @property
    def has_variance(self) -> bool:
        """Whether a variance keeps its digits uncompensated: times are large and close to each other."""
        return self.finite and "time" not in self.text


Rule: TypeAlias = Callable[["Grammar", int], Term]


def generate(number: int) -> str:
    """The query of a number."""
    return Grammar(Random(number)).vector(3).text


class Grammar:
    """The rules; each draws from `random` what it leaves open. `depth` bounds how deep expressions nest."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def vector(self, depth: int) -> Term:
        """Any instant vector."""
        rules, weights = zip(*(_RULES if depth else _LEAVES), strict=True)
        rule: Rule = self._random.choices(rules, weights)[0]
        return rule(self, depth - 1)

    def selector(self, _depth: int = 0, names: tuple[str, ...] = tuple(METRICS)) -> Term:
        """A metric, some of its series, sometimes at another time."""
        return self._selector(self._one(names), "")

    def rate(self, _depth: int) -> Term:
        """How fast a counter grows."""
        function = self._one(("rate", "increase", "irate"))
        selected = self._range(COUNTERS)
        if self._random.random() < 0.2:
            selected = self._selector(self._one(COUNTERS), f"[{self._one(RANGES)}5ms:{self._one(STEPS)}]")
        return replace(selected, text=f"{function}({selected.text})", exact=False)

    def over_time(self, depth: int) -> Term:
        """A function of all values in a range."""
        name = self._one(EXACT_OVER_TIME + ROUNDING_OVER_TIME)
        if name in ("stddev", "stdvar"):
            ranged = self._range(DISTINCT)
        else:
            ranged = self._range_vector(depth, summed=name in ROUNDING_OVER_TIME)
        arguments = f"{self._one(QUANTILES)}, {ranged.text}" if name == "quantile" else ranged.text
        return replace(
            ranged,
            text=f"{name}_over_time({arguments})",
            exact=ranged.exact and name in EXACT_OVER_TIME,
            finite=ranged.finite and name != "quantile",
        )

    def trend(self, depth: int) -> Term:
        """How values change in a range."""
        name = self._one(("delta", "idelta", "changes", "resets", "deriv", "predict_linear"))
        ranged = self._range(COUNTERS) if name in ("deriv", "predict_linear") else self._range_vector(depth)
        if name == "predict_linear" and "@" in ranged.text:
            name = "deriv"
        if name in ("changes", "resets") and not ranged.exact:
            name = "delta"
        horizon = f", {self._one(('60', '3600', '-120'))}" if name == "predict_linear" else ""
        return replace(ranged, text=f"{name}({ranged.text}{horizon})", exact=name in ("changes", "resets"))

    def function(self, depth: int) -> Term:
        """A function of each value."""
        argument = self.vector(depth)
        if self._random.random() < 0.5:
            text = self._one(STEEP + SMOOTH if argument.exact else SMOOTH).format(argument.text)
            return replace(argument, text=text, exact=False, finite=False, is_atom=True)
        text = self._one((JUMPING if argument.exact else ("abs({})",)) + CLAMPS).format(argument.text)
        return replace(argument, text=text, is_atom=True)

    def time(self, depth: int) -> Term:
        """The time of samples, or a part of a date."""
        argument = self.vector(depth)
        if self._random.random() < 0.5 or ("@" in argument.text and "offset" in argument.text):
            moment = self._one(("start_time_seconds", "timestamp(up)", "start_time_seconds * 1.5"))
            return Term(f"{self._one(DATES)}({moment})", TARGET)
        return Term(f"timestamp({argument.text})", argument.labels)

    def aggregation(self, depth: int) -> Term:
        """The series of a group, put together."""
        argument = self.vector(depth)
        names: tuple[str, ...] = EXACT_AGGREGATIONS
        if argument.can_be_summed:
            names += ("sum", "avg")
        if argument.has_variance:
            names += ("stddev", "stdvar")
        name = self._one(names)
        modifier, labels = self._grouping(argument.labels)
        exact = name in ("count", "group") or (argument.exact and name in EXACT_AGGREGATIONS)
        return Term(f"{name}{modifier} ({argument.text})", labels, exact, argument.finite)

    def ranking(self, _depth: int) -> Term:
        """The greatest or least of values that differ."""
        argument = self.selector(names=DISTINCT)
        modifier, _ = self._grouping(argument.labels)
        text = f"{self._one(('topk', 'bottomk'))}{modifier} ({self._one(('1', '2', '5'))}, {argument.text})"
        return replace(argument, text=text)

    def quantile(self, depth: int) -> Term:
        """The distribution of a group."""
        argument = self.vector(depth)
        modifier, labels = self._grouping(argument.labels)
        if argument.exact and self._random.random() < 0.3:
            return Term(f'count_values{modifier} ("value", {argument.text})', labels | {"value"})
        text = f"quantile{modifier} ({self._one(QUANTILES)}, {argument.text})"
        return Term(text, labels, exact=False, finite=False)

    def histogram_quantile(self, _depth: int) -> Term:
        """A quantile of classic buckets."""
        buckets = self._range(("latency_seconds_bucket",), TARGET_MATCHERS)
        argument = f"{self._one(('rate', 'increase', 'delta', 'max_over_time'))}({buckets.text})"
        labels = TARGET
        if self._random.random() < 0.6:
            labels = self._some(TARGET)
            argument = f"sum by ({_list(labels | {'le'})}) ({argument})"
        text = f"histogram_quantile({self._one(QUANTILES)}, {argument})"
        return Term(text, labels, exact=False, finite=False)

    def with_scalar(self, depth: int) -> Term:
        """An operation between each value and a number."""
        vector = self.vector(depth)
        op = self._operator(vector.exact)
        sides = [_nameless(vector) if op == "atan2" else vector.operand, self.scalar()]
        if self._random.random() < 0.3:
            sides.reverse()
        return _operation(f"{sides[0]} {op} {sides[1]}", op, vector, vector)

    def with_vector(self, depth: int) -> Term:
        """An operation between series: one to one, many to one, or one to many."""
        many = self.vector(depth)
        one, matching = self._match(many)
        op = self._operator(many.exact and one.exact)
        sides = [_nameless(side) if op == "atan2" else side.operand for side in (many, one)]
        many_side = "left"
        if self._random.random() < 0.4:
            sides.reverse()
            many_side = "right"
        if one.labels != many.labels:
            matching = f" {matching} group_{many_side} ()"
        else:
            matching = self._one(("", f" {matching}"))
        return _operation(f"{sides[0]} {op}{matching} {sides[1]}", op, many, one)

    def set_operation(self, depth: int) -> Term:
        """Series of one side, depending on which there are on the other."""
        left = self.vector(depth)
        right, matching = self._match(left)
        op = self._one(("and", "or", "unless"))
        if op == "or" or (left.labels == right.labels and self._random.random() < 0.5):
            matching = ""
        text = f"{left.operand} {op} {matching} {right.operand}".replace("  ", " ")
        return _operation(text, op, left, replace(right, labels=left.labels | right.labels))

    def relabelled(self, depth: int) -> Term:
        """Labels made of labels."""
        argument = self.vector(depth)
        source = self._one(tuple(sorted(argument.labels | {"job"})))
        text = self._one(
            (
                f'label_replace({argument.text}, "made", "<$1>", "{source}", "(.).*")',
                f'label_replace({argument.text}, "made", "$first-$2", "{source}", "(?P<first>[a-z]+)(.*)")',
                f'label_join({argument.text}, "made", "/", "{source}", "job", "none")',
            )
        )
        return replace(argument, text=text, labels=argument.labels | {"made"}, is_atom=True)

    def single(self, depth: int) -> Term:
        """One series made of nothing, or of the lack of others."""
        text = self._one(
            (
                f"absent({self.vector(depth).operand} > 1e9)",
                'absent_over_time(requests_total{code="418"}[3m])',
                f"vector({self.scalar()})",
            )
        )
        return Term(text, frozenset({"code"}) if "418" in text else frozenset(), exact=False, finite=False)

    def scalar(self) -> str:
        """A number, most often a literal."""
        choices = (self._one(NUMBERS), f"scalar(max({self.selector(names=FINITE).text}))", "time()", "pi()")
        return self._random.choices(choices, (8, 2, 1, 1))[0]

    def _match(self, many: Term) -> tuple[Term, str]:
        """A term of which one series at most matches each of `many`, and how."""
        on = self._some(many.labels)
        names = tuple(name for name, metric in METRICS.items() if on <= metric.labels)
        if not names or self._random.random() < 0.3:
            return replace(
                many, text=_nameless(many), exact=False, is_atom=True
            ), f"on ({_list(many.labels)})"
        inner = self.selector(names=names)
        text = f"{self._one(('max', 'min', 'count'))} by ({_list(on)}) ({inner.text})"
        others = many.labels - on
        use_others = others and self._random.random() < 0.3
        matching = f"ignoring ({_list(others)})" if use_others else f"on ({_list(on)})"
        return Term(text, on, finite=inner.finite), matching

    def _range(self, names: tuple[str, ...], matchers: tuple[str, ...] | None = None) -> Term:
        return self._selector(self._one(names), f"[{self._one(RANGES)}]", matchers)

    def _range_vector(self, depth: int, *, summed: bool = False) -> Term:
        """A range selector or a subquery."""
        if depth == 0 or self._random.random() < 0.6:
            return self._range(tuple(METRICS))
        inner = self.vector(depth)
        if summed and not inner.can_be_summed:
            inner = self.selector()
        # The 5 ms keep the window's begin off the points of the subquery.
        text = f"{inner.operand}[{self._one(RANGES)}5ms:{self._one(STEPS)}]{self._moved()}"
        return replace(inner, text=text, is_atom=True)

    def _selector(self, name: str, suffix: str, matchers: tuple[str, ...] | None = None) -> Term:
        metric = METRICS[name]
        choices = metric.matchers + TARGET_MATCHERS if matchers is None else matchers
        count = self._random.choices((0, 1, 2), (5, 4, 1))[0]
        chosen = ", ".join(sorted(self._random.sample(choices, count)))
        braces = f"{{{chosen}}}" if chosen else ""
        return Term(f"{name}{braces}{suffix}{self._moved()}", metric.labels, finite=metric.finite)

    def _moved(self) -> str:
        """Most often nothing; sometimes `offset`, sometimes `@`."""
        offset = f" offset {self._one(OFFSETS)}"
        middle = (START_MS + END_MS) // 2000
        at = f" @ {self._one(('start()', 'end()', f'{middle}', f'{middle + 600}.5'))}"
        return self._random.choices(("", offset, at, at + offset), (14, 3, 2, 1))[0]

    def _grouping(self, labels: frozenset[str]) -> tuple[str, frozenset[str]]:
        """The text of `by` or `without`, and the labels that remain."""
        kept = self._some(labels)
        return self._random.choice(
            (
                ("", frozenset()),
                (f" by ({_list(kept)})", kept),
                (f" by ({_list(kept)})", kept),
                (f" without ({_list(labels - kept)})", kept),
            )
        )

    def _operator(self, exact: bool) -> str:
        """Any operator; one that jumps only between exact values."""
        if not exact:
            return self._one(("+", "-", "*", "/"))
        if self._random.random() < 0.6:
            return self._one(ARITHMETIC)
        return self._one(COMPARISONS) + self._one(("", "", " bool"))

    def _some(self, labels: frozenset[str]) -> frozenset[str]:
        return frozenset(label for label in sorted(labels) if self._random.random() < 0.6)

    def _one(self, choices: tuple[str, ...]) -> str:
        return self._random.choice(choices)


def _nameless(term: Term) -> str:
    """Without the metric's name, which atan2 kept in 2.42."""
    return f"deg({term.text})"


def _operation(text: str, op: str, left: Term, right: Term) -> Term:
    """A binary operation; the labels of its series are the right-hand ones if these are more."""
    return Term(
        text,
        left.labels | right.labels,
        exact=left.exact and right.exact and op not in ARITHMETIC,
        finite=left.finite and right.finite and op not in ("/", "%", "^"),
        is_atom=False,
    )


def _list(labels: frozenset[str]) -> str:
    return ", ".join(sorted(labels))


_LEAVES: Final[tuple[tuple[Rule, int], ...]] = ((Grammar.selector, 1),)
_RULES: Final[tuple[tuple[Rule, int], ...]] = (
    (Grammar.selector, 2),
    (Grammar.rate, 3),
    (Grammar.over_time, 5),
    (Grammar.trend, 2),
    (Grammar.function, 3),
    (Grammar.time, 1),
    (Grammar.aggregation, 6),
    (Grammar.ranking, 2),
    (Grammar.quantile, 2),
    (Grammar.histogram_quantile, 2),
    (Grammar.with_scalar, 4),
    (Grammar.with_vector, 5),
    (Grammar.set_operation, 3),
    (Grammar.relabelled, 2),
    (Grammar.single, 1),
)
