"""Whether alerts and samples are those expected; differences as blocks of lines for people."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from collector.units import format_duration_ms
from miniprom.promqltest.comparison import actual_series, format_labels
from miniprom.promqltest.errors import NotationError
from miniprom.promqltest.histogram_notation import StatedHistogram, format_histogram
from miniprom.promqltest.series import parse_metric, parse_values
from miniprom.rules.evaluation import ALERT_NAME
from miniprom.rules.group_state import GroupState
from miniprom.rules.rule_state import AlertingState
from miniprom.rules.states import FIRING_STATES
from miniprom.ruletest.files import AlertTest, ExpectedSample, QueryTest
from query import InstantVector, QueryError, Result, ScalarPoint
from query.language.literals import quote
from tsdb import Labels, labels_from
from tsdb.histogram import FloatHistogram
from tsdb.numbers import format_number

Value: TypeAlias = float | str
"""A histogram stands as its text."""


@dataclass(frozen=True)
class Difference:
    """What a test found: a sentence, and where something was compared, its two sides as lines.

    `why` holds sentences about an answer that is empty.
    """

    text: str
    expected: tuple[str, ...] = ()
    got: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


def alert_difference(test: AlertTest, groups: Sequence[GroupState]) -> Difference | None:
    """How the firing alerts of one name differ from those expected."""
    expected = sorted(
        (labels_from({**alert.exp_labels, ALERT_NAME: test.alertname}), labels_from(alert.exp_annotations))
        for alert in test.exp_alerts
    )
    got = sorted(
        (alert.labels, labels_from(alert.annotations))
        for group in groups
        for state in group.rules
        if isinstance(state, AlertingState) and state.rule.name == test.alertname
        for alert in state.alerts.values()
        if alert.state in FIRING_STATES
    )
    if expected == got:
        return None
    text = f"alert {quote(test.alertname)} at {format_duration_ms(test.eval_time_ms)}"
    return Difference(text, _alert_lines(expected), _alert_lines(got))


def query_difference(test: QueryTest, ask: Callable[[], Result], *, fuzzy: bool) -> Difference | None:
    """How a query's answer differs from the one expected; with `fuzzy` neighbouring floats are equal."""
    text = f"expr {quote(test.expr)} at {format_duration_ms(test.eval_time_ms)}"
    try:
        expected = sorted((_expected(sample) for sample in test.exp_samples), key=_by_labels)
        got = sorted(_samples(ask()), key=_by_labels)
    except (QueryError, NotationError) as error:
        return Difference(f"{text}: {error}")
    is_same = len(expected) == len(got) and all(
        wanted[0] == found[0] and _equal(wanted[1], found[1], fuzzy)
        for wanted, found in zip(expected, got, strict=True)
    )
    return None if is_same else Difference(text, _sample_lines(expected), _sample_lines(got))


def _expected(sample: ExpectedSample) -> tuple[Labels, Value]:
    labels, rest = parse_metric(sample.labels) if sample.labels.strip() else ((), "")
    if rest.strip():
        raise NotationError(f"labels {quote(sample.labels)}: expected nothing after the labels")
    if sample.histogram:
        values = parse_values(sample.histogram.strip())
        if len(values) != 1 or not isinstance(values[0], StatedHistogram):
            raise NotationError(f"expected one histogram in double braces, got {quote(sample.histogram)}")
        return labels, format_histogram(values[0].histogram)
    return labels, sample.value


def _samples(result: Result) -> list[tuple[Labels, Value]]:
    value = result.value
    if isinstance(value, ScalarPoint):
        return [((), value.value)]
    if not isinstance(value, InstantVector):
        raise NotationError("rule result is not a vector or scalar")
    found: list[tuple[Labels, Value]] = []
    for series in actual_series(value):
        for sample in series.samples.values():
            text = format_histogram(sample) if isinstance(sample, FloatHistogram) else sample
            found.append((series.labels, text))
    return found


def _equal(expected: Value, got: Value, fuzzy: bool) -> bool:
    if isinstance(expected, str) or isinstance(got, str) or expected == got:
        return expected == got
    if math.isnan(expected) and math.isnan(got):
        return True
    return fuzzy and got in (math.nextafter(expected, -math.inf), math.nextafter(expected, math.inf))


def _by_labels(sample: tuple[Labels, Value]) -> Labels:
    return sample[0]


def _sample_lines(samples: Sequence[tuple[Labels, Value]]) -> tuple[str, ...]:
    return tuple(
        f"{format_labels(labels)} {value if isinstance(value, str) else format_number(value)}"
        for labels, value in samples
    )


def _alert_lines(alerts: Sequence[tuple[Labels, Labels]]) -> tuple[str, ...]:
    lines = []
    for labels, annotations in alerts:
        lines.append(format_labels(labels))
        lines += [f"    {name}: {text}" for name, text in annotations]
    return tuple(lines)
