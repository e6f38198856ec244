"""Odd names, types and labels of metrics. Expected: what promtool says."""

import shutil
import subprocess

import pytest

from collector.exposition import TEXT, parse
from miniprom.metric_lint import families_of, lint

CASES = {
    "go_gc": ("counter", "", ['counter metrics should have "_total" suffix']),
    "a_total": ("gauge", "", ['non-counter metrics should not have "_total" suffix']),
    "b_total": ("untyped", "", []),
    "a_milliseconds": ("gauge", "", ['use base unit "seconds" instead of "milliseconds"']),
    "x_kilobytes": ("gauge", "", ['use base unit "bytes" instead of "kilobytes"']),
    "hours_per_week": ("gauge", "", ['use base unit "seconds" instead of "hours"']),
    "a_seconds_total": ("counter", "", []),
    "temp_fahrenheit": ("gauge", "", ['use base unit "celsius" instead of "fahrenheit"']),
    "aBc_bucket": (
        "gauge",
        "",
        [
            "metric names should be written in 'snake_case' not 'camelCase'",
            'non-histogram metrics should not have "_bucket" suffix',
        ],
    ),
    "h_seconds_count": (
        "gauge",
        "",
        ['non-histogram and non-summary metrics should not have "_count" suffix'],
    ),
    "a:b": ("gauge", "", ["metric names should not contain ':'"]),
    "a_gauge": (
        "gauge",
        '{le="1",quantile="2",fooBar="3"}',
        [
            "label names should be written in 'snake_case' not 'camelCase'",
            "metric name should not include type 'gauge'",
            'non-histogram metrics should not have "le" label',
            'non-summary metrics should not have "quantile" label',
        ],
    ),
    "gauge_x": ("gauge", "", []),
    "x_s": ("gauge", "", ["metric names should not contain abbreviated units"]),
    "x_ms_y": ("gauge", "", ["metric names should not contain abbreviated units"]),
    "x_percent": ("gauge", "", []),
}


def body(name: str, kind: str, labels: str) -> str:
    return f"# HELP {name} text\n# TYPE {name} {kind}\n{name}{labels} 1\n"


def remarks(text: str) -> list[str]:
    return [f"{problem.metric} {problem.text}" for problem in lint(families_of(parse(text.encode(), TEXT)))]


@pytest.mark.parametrize("name", CASES)
def test_metric_is_remarked_on_as_promtool_does(name: str) -> None:
    kind, labels, expected = CASES[name]
    assert remarks(body(name, kind, labels)) == [f"{name} {text}" for text in expected]


@pytest.mark.peer
def test_expected_remarks_are_promtools() -> None:
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed")
    text = "".join(body(name, kind, labels) for name, (kind, labels, _) in CASES.items())
    said = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    expected = [f"{name} {remark}" for name, (_, _, remarks) in CASES.items() for remark in remarks]
    assert sorted(said.stderr.splitlines()) == sorted(expected)


def test_metric_without_help_is_remarked_on() -> None:
    assert remarks("a 1\n") == ["a no help text"]


def test_series_that_is_there_twice_is_remarked_on() -> None:
    assert remarks("# HELP a x\na 1\na 2\n") == ["a metric not unique"]


def test_series_of_a_histogram_and_of_a_summary_are_one_metric() -> None:
    text = (
        "# HELP h x\n# TYPE h histogram\n"
        'h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n'
        '# HELP q x\n# TYPE q summary\nq{quantile="1"} 1\nq_sum 1\nq_count 1\n'
    )
    families = families_of(parse(text.encode(), TEXT))
    assert [(family.name, len(family.series)) for family in families] == [("h", 3), ("q", 3)]
    assert lint(families) == []
