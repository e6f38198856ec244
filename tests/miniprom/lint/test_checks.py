"""What the linter says of rules, given what is known of the data."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest

from miniprom.lint import MetricFacts, lint
from miniprom.rules.model import AlertingRule, RecordingRule
from miniprom.rules.states import Timing
from query.language.parser import parse
from tsdb import Labels, labels_from


@dataclass
class KnownData:
    """A `Data` for tests."""

    metrics: dict[str, MetricFacts]
    retention_ms: int = 7_200_000
    flap_count: int = 0
    asked: list[str] = field(default_factory=list)

    def names(self) -> Collection[str]:
        return self.metrics.keys()

    def metric(self, name: str) -> MetricFacts | None:
        return self.metrics.get(name)

    def flaps(self, query: str) -> int:
        self.asked.append(query)
        return self.flap_count


def series(name: str, *label_sets: dict[str, str]) -> tuple[Labels, ...]:
    return tuple(labels_from({"__name__": name, **labels}) for labels in label_sets)


BUCKETS = tuple({"kind": "Kustomization", "le": bound} for bound in ("0.5", "10.0", "+Inf"))
DATA = KnownData(
    {
        "up": MetricFacts(series("up", {"job": "flux"}, {"job": "node"}), "gauge", 15_000),
        "requests_total": MetricFacts(series("requests_total", {"code": "200"}), "counter", 15_000),
        "gotk_reconcile_duration_seconds_bucket": MetricFacts(
            series("gotk_reconcile_duration_seconds_bucket", *BUCKETS), "", 15_000
        ),
    }
)
QUANTILE = "histogram_quantile(0.99, sum by (le) (rate(gotk_reconcile_duration_seconds_bucket[5m])))"


@pytest.mark.parametrize(
    ("expression", "check", "message"),
    [
        ("upp == 0", "unknown-metric", "no series of upp has been seen; did you mean up?"),
        ("nothing_like_it", "unknown-metric", "no series of nothing_like_it has been seen"),
        ('up{jab="x"} == 0', "unknown-label", "no series of up has the label jab; there are job"),
        (
            'up{job="fluks"}',
            "unknown-label",
            'job="fluks" matches no series of up; job has been flux, node',
        ),
        ("sum by (jab) (up)", "unknown-grouping", "no series below has the label jab, by which is grouped"),
        (
            "rate(requests_total[30s])",
            "range",
            "the range 30s is shorter than four scrape intervals, 1m: gaps will show",
        ),
        ("rate(requests_total[3h])", "range", "the range 3h is longer than samples are kept, 2h"),
        (
            f"{QUANTILE} > 30",
            "quantile-above-buckets",
            "never > 30: the buckets end at 10, which no quantile exceeds",
        ),
        (
            f"10 < ({QUANTILE})",
            "quantile-above-buckets",
            "never > 10: the buckets end at 10, which no quantile exceeds",
        ),
        (
            "count(up == 1) < 2",
            "empty-count",
            "the count of nothing is empty, not 0: write `(... or vector(0))`, or absent()",
        ),
        ("rate(up[5m])", "wrong-kind", "up is a gauge, which rate() is not for"),
        ("deriv(requests_total[5m])", "wrong-kind", "requests_total is a counter, which deriv() is not for"),
    ],
)
def test_what_the_data_says_against_a_rule(expression: str, check: str, message: str) -> None:
    (note,) = lint(RecordingRule("a:b", parse(expression)), DATA)
    assert (note.check, note.message) == (check, message)


@pytest.mark.parametrize(
    "expression",
    [
        "up == 0",
        'up{job="flux", instance=""}',
        'up{job!="fluks"}',
        'up{job=~"f.*"}',
        "absent(nothing_like_it)",
        "recorded:here > 1",
        "ALERTS{alertstate='firing'}",
        "rate(requests_total[1m])",
        "rate(requests_total[2h])",
        f"{QUANTILE} > 9",
        f"{QUANTILE} >= 10",
        f"{QUANTILE} < 30",
        "count(up == 1) > 2",
        "(count(up == 1) or vector(0)) < 2",
        "count by (job) (up) < 2",
        "sum by (new) (label_replace(up, 'new', '$1', 'job', '(.*)'))",
        "delta(up[5m])",
    ],
)
def test_nothing_is_said_against_a_sound_rule(expression: str) -> None:
    assert lint(RecordingRule("a:b", parse(expression)), DATA, {"recorded:here"}) == []


def test_alert_without_for_is_noted_where_its_condition_comes_and_goes() -> None:
    data = KnownData(DATA.metrics, flap_count=3)
    (note,) = lint(AlertingRule("Down", parse("up == 0")), data)
    assert note.message == "the condition ended 3 times in the last hour: give the alert a `for`"
    assert data.asked == ["up == 0"]


@pytest.mark.parametrize(("timing", "count"), [(Timing(hold_ms=60_000), 9), (Timing(), 2)])
def test_alert_that_waits_or_seldom_flaps_is_fine(timing: Timing, count: int) -> None:
    data = KnownData(DATA.metrics, flap_count=count)
    assert lint(AlertingRule("Down", parse("up == 0"), timing=timing), data) == []


def test_notes_stand_in_the_order_of_the_expression() -> None:
    notes = lint(RecordingRule("a:b", parse("rate(up[5s]) + nothing")), DATA)
    assert [note.check for note in notes] == ["wrong-kind", "range", "unknown-metric"]
