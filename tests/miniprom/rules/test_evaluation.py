"""Templates of alerts: what they are expanded with, and what becomes of their faults."""

import pytest

from miniprom.rules.evaluation import Environment
from query import Engine
from tests.miniprom.rules.evaluating import Rules
from tsdb.histogram import FloatHistogram

UP = {"__name__": "up", "job": "a"}
ENVIRONMENT = Environment(Engine(), {"cluster": "c"}, "http://prom")


def annotation(text: str, rule: str = "expr: up") -> str:
    """The annotation of the one alert that the rule gives over `up{job="a"} 2`."""
    quoted = text.replace("'", "''")
    rules = Rules(f"alert: Down, {rule}, annotations: {{text: '{quoted}'}}", environment=ENVIRONMENT)
    rules.add(UP, 0, 2.0)
    rules.evaluate(0)
    (alert,) = rules.alerting().active
    return alert.annotations["text"]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("no template", "no template"),
        ("{{ $labels.job }} is {{ $value }}", "a is 2"),
        ("{{ $labels.__name__ }}", "up"),
        ("{{ .Labels.none }}", ""),
        ("{{ $externalLabels.cluster }} {{ $externalURL }}", "c http://prom"),
        ("{{ with query `up * 2` }}{{ . | first | value }}{{ end }}", "4"),
    ],
)
def test_annotation_is_expanded(text: str, expanded: str) -> None:
    assert annotation(text) == expanded


def test_labels_are_expanded_with_the_labels_of_the_series_not_with_each_other() -> None:
    rules = Rules("alert: Down, expr: up, labels: {a: '{{ $labels.job }}', b: 'x{{ $labels.a }}'}")
    rules.add(UP, 0, 1.0)
    rules.evaluate(0)
    (alert,) = rules.alerting().active
    assert dict(alert.labels) == {"a": "a", "alertname": "Down", "b": "x", "job": "a"}


def test_label_that_expands_to_nothing_is_none() -> None:
    rules = Rules("alert: Down, expr: up, labels: {job: '{{ $labels.none }}'}")
    rules.add(UP, 0, 1.0)
    rules.evaluate(0)
    (alert,) = rules.alerting().active
    assert alert.labels == (("alertname", "Down"),)


def test_fault_of_a_template_takes_its_place() -> None:
    text = annotation("{{ $labels.job | humanize }}")
    assert text.startswith("<error expanding template: error executing template __alert_Down: ")
    assert text.endswith(">")


def test_fault_is_placed_behind_the_definitions_that_upstream_puts_in_front() -> None:
    text = annotation("{{ $value | first }}\n{{ 1 }}")
    assert "template: __alert_Down:1:124: " in text


def test_query_in_a_template_sees_what_rules_before_it_wrote() -> None:
    rules = Rules(
        "record: copy, expr: up * 10",
        "alert: Down, expr: up, annotations: {text: '{{ query `copy` | first | value }}'}",
    )
    rules.add(UP, 0, 1.0)
    rules.evaluate(0)
    assert rules.alerting(1).active[0].annotations == {"text": "10"}


def test_alert_on_a_histogram_has_it_as_value_in_templates_and_zero_else() -> None:
    rules = Rules("alert: Down, expr: h, annotations: {text: '{{ $value }}'}")
    (series_id,) = rules.store.series_ids([(("__name__", "h"),)]).tolist()
    rules.store.append_histograms(series_id, [0], [FloatHistogram(count=3.0, sum=6.0)])
    rules.evaluate(0)
    (alert,) = rules.alerting().active
    assert alert.value == 0.0
    assert alert.annotations == {"text": "{count:3, sum:6}"}
