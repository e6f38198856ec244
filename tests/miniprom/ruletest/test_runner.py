"""Unit tests of rules: what passes, what fails, and how it is told."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from miniprom.ruletest.report import Style, run_files
from miniprom.ruletest.runner import BadPatternError, TestOptions

RULES = """
groups:
  - name: first
    rules: [{record: "job:up:sum", expr: "sum by (job) (up)"}]
  - name: second
    rules:
      - alert: Down
        expr: job:up:sum == 0
        for: 2m
        labels: {severity: page}
        annotations: {summary: a job is down}
"""
INPUT = "{series: 'up{job=\"a\",instance=\"1\"}', values: '1 0x9'}"


PLAIN = Style()


class Ran:
    """A test file beside the rules above: exit code and lines."""

    def __init__(self, folder: Path, text: str, style: Style = PLAIN, run: tuple[str, ...] = ()) -> None:
        (folder / "rules.yml").write_text(RULES)
        self.file = folder / "test.yml"
        self.file.write_text(text)
        self.junit = folder / "junit.xml"
        self.lines: list[str] = []
        self.code = run_files(
            [str(self.file)], TestOptions(run), style, junit=self.junit, write=self.lines.append
        )

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def case(body: str, head: str = "") -> str:
    return f"rule_files: [rules.yml]\n{head}\ntests:\n- name: a case\n  input_series: [{INPUT}]\n{body}"


def query_case(expr: str, time: str, samples: str, head: str = "") -> str:
    return case(
        f"  promql_expr_test: [{{expr: '{expr}', eval_time: {time}, exp_samples: [{samples}]}}]", head
    )


def alert_case(time: str, alerts: str, head: str = "") -> str:
    return case(f"  alert_rule_test: [{{alertname: Down, eval_time: {time}, exp_alerts: [{alerts}]}}]", head)


DOWN = "{exp_labels: {severity: page, job: a}, exp_annotations: {summary: a job is down}}"


def test_recorded_series_is_found(tmp_path: Path) -> None:
    ran = Ran(tmp_path, query_case("job:up:sum", "1m", "{labels: 'job:up:sum{job=\"a\"}', value: 0}"))
    assert (ran.code, ran.lines[1:]) == (0, ["  1 passed, 0 failed\n"])


@pytest.mark.parametrize(
    ("time", "alerts"), [("2m", ""), ("3m", DOWN), ("3m30s", DOWN), ("2m59s", ""), ("0m", "")]
)
def test_alert_fires_from_the_evaluation_at_which_for_is_over(tmp_path: Path, time: str, alerts: str) -> None:
    assert Ran(tmp_path, alert_case(time, alerts)).code == 0


def test_both_sides_of_a_difference_are_shown(tmp_path: Path) -> None:
    ran = Ran(tmp_path, alert_case("3m", "{exp_labels: {job: b}}"))
    assert ran.code == 1
    assert ran.lines[1:] == [
        "  FAILED: a case",
        '    alert "Down" at 3m',
        "      expected:",
        '        {alertname="Down", job="b"}',
        "      got:",
        '        {alertname="Down", job="a", severity="page"}',
        "            summary: a job is down",
        "  0 passed, 1 failed\n",
    ]


def test_difference_as_a_diff(tmp_path: Path) -> None:
    ran = Ran(tmp_path, query_case("job:up:sum", "1m", "{labels: 'x', value: 0.5}"), Style(diff=True))
    assert ran.lines[2:-1] == ['    expr "job:up:sum" at 1m', "    - x{} 0.5", '    + job:up:sum{job="a"} 0']


def test_nothing_expected_and_nothing_got_are_called_so(tmp_path: Path) -> None:
    ran = Ran(tmp_path, query_case("none", "0m", "{labels: 'none', value: 1}"))
    assert "      got:\n        nothing" in ran.text


@pytest.mark.parametrize(("order", "fires_at"), [("first, second", "3m"), ("second, first", "4m")])
def test_groups_are_evaluated_in_the_given_order(tmp_path: Path, order: str, fires_at: str) -> None:
    head = f"group_eval_order: [{order}]"
    assert Ran(tmp_path, alert_case(fires_at, DOWN, head)).code == 0
    just_before = f"{int(fires_at[0]) - 1}m59s"
    assert Ran(tmp_path, alert_case(just_before, "", head)).code == 0


def test_evaluation_interval_is_that_of_the_file(tmp_path: Path) -> None:
    samples = "{labels: '{job=\"a\"}', value: 30}"
    head = "evaluation_interval: 30s"
    assert Ran(tmp_path, query_case("timestamp(job:up:sum)", "45s", samples, head)).code == 0


def test_start_timestamp_is_the_time_of_the_first_samples(tmp_path: Path) -> None:
    body = """  start_timestamp: 2020-01-01T00:00:00Z
  promql_expr_test: [{expr: time(), eval_time: 1m, exp_samples: [{value: 1577836860}]}]
"""
    assert Ran(tmp_path, case(body)).code == 0


def test_nothing_looks_ahead(tmp_path: Path) -> None:
    assert Ran(tmp_path, query_case("up offset -5m", "1m", "")).code == 0


def test_fuzzy_compare_accepts_the_neighbouring_float(tmp_path: Path) -> None:
    text = query_case("vector(0.1) + 0.2", "0m", "{value: 0.3}")
    assert Ran(tmp_path, text).code == 1
    fuzzy = query_case("vector(0.1) + 0.2", "0m", "{value: 0.3}", "fuzzy_compare: true")
    assert Ran(tmp_path, fuzzy).code == 0


def test_run_picks_tests_by_name(tmp_path: Path) -> None:
    text = query_case("vector(1)", "0m", "{value: 2}") + "\n- {name: another}\n"
    assert Ran(tmp_path, text).code == 1
    assert Ran(tmp_path, text, run=("an.*er", "x")).lines[1:] == ["  1 passed, 0 failed\n"]
    with pytest.raises(BadPatternError, match="--run: "):
        Ran(tmp_path, text, run=("(",))


def test_debug_tells_all_samples(tmp_path: Path) -> None:
    ran = Ran(tmp_path, query_case("vector(1)", "1m", "{value: 1}"), Style(debug=True))
    assert '    job:up:sum{job="a"} 1 @0 0 @60' in ran.lines
    assert any(line.startswith("  DEBUG: a case took ") for line in ran.lines)


def test_junit_report_counts_and_shows_failures(tmp_path: Path) -> None:
    text = query_case("vector(1)", "0m", "{value: 2}") + "\n- {name: another}\n"
    ran = Ran(tmp_path, text)
    root = ElementTree.fromstring(ran.junit.read_text())
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert [case.get("name") for case in suite] == ["a case", "another"]
    failure = suite[0][0]
    assert failure.get("message") == 'expr "vector(1)" at 0s'
    assert failure.text is not None
    assert "{} 2" in failure.text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "tests: [{input_serie: []}]",
            ':1: tests[0]: unknown key "input_serie"; did you mean "input_series"?',
        ),
        (
            "tests:\n- alert_rule_test: [{eval_time: 1m}]",
            ":2: tests[0].alert_rule_test[0]: an alert_rule_test needs",
        ),
        ("tests: [{start_timestamp: noon}]", ':1: tests[0]: cannot parse "noon" to a valid timestamp'),
        ("group_eval_order: [a, b, a]", ':1: group "a" is given twice'),
    ],
)
def test_fault_of_the_file_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    ran = Ran(tmp_path, text)
    assert ran.code == 1
    assert f"FAILED: {ran.file}{problem}" in ran.text


def test_alert_that_no_rule_has_is_a_warning(tmp_path: Path) -> None:
    ran = Ran(tmp_path, alert_case("3m", "").replace("Down", "Dawn"))
    assert ran.lines[1] == '  WARNING: no rule has the alertname "Dawn"; did you mean "Down"?'
    assert ran.code == 0


def test_pattern_without_files_is_a_warning(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "rule_files: [none.yml]\ntests: [{}]")
    assert ran.lines[1] == f"  WARNING: no file matches {tmp_path / 'none.yml'}"
    assert ran.code == 0


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        ("{labels: 'x y'}", 'labels "x y": expected nothing after the labels'),
        ("{labels: x, histogram: '1'}", 'expected one histogram in double braces, got "1"'),
    ],
)
def test_expected_sample_that_cant_be_read_is_a_failure(tmp_path: Path, samples: str, problem: str) -> None:
    ran = Ran(tmp_path, query_case("vector(1)", "0m", samples))
    assert ran.code == 1
    assert problem in ran.text
