"""Files of tests that pytest runs as items."""

import pytest

import query.execution.evaluate
import query.why  # noqa: F401
from miniprom.promqltest import parse_script, run_script
from miniprom.ruletest import load_test_file  # noqa: F401
from miniprom.ruletest.coverage import Coverage  # noqa: F401
from miniprom.ruletest.report import Style  # noqa: F401

pytest_plugins = ["pytester"]

RULES = """
groups:
- name: api
  rules:
  - record: job:requests:rate5m
    expr: sum by (job) (rate(requests_total[5m]))
  - alert: Down
    expr: up == 0
    for: 1m
"""
TESTS = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- name: rates are recorded
  interval: 1m
  input_series:
  - {series: 'requests_total{job="a"}', values: 0+60x10}
  promql_expr_test:
  - expr: job:requests:rate5m
    eval_time: 10m
    exp_samples: [{labels: 'job:requests:rate5m{job="a"}', value: 1}]
- interval: 1m
  input_series:
  - {series: 'up{job="a"}', values: 0x10}
  alert_rule_test:
  - alertname: Down
    eval_time: 5m
    exp_alerts: [{exp_labels: {job: a}}]
"""
SCRIPT = """
load 1m
  requests_total{job="a"} 0+60x10

eval instant at 10m requests_total
  requests_total{job="a"} 600

eval instant at 10m sum(rate(requests_total[5m]))
  {} 1
"""


@pytest.fixture(scope="module", autouse=True)
def everything_imported() -> None:
    """A run in process forgets its imports: numpy can't be imported twice, and the grammar takes time."""
    list(run_script(parse_script(SCRIPT, "queries.test")))


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with rules, their tests, and a script; all pass. Plugins that take half a second are off."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:time_machine")
    pytester.path.joinpath("rules.yml").write_text(RULES)
    pytester.path.joinpath("api_test.yml").write_text(TESTS)
    pytester.path.joinpath("queries.test").write_text(SCRIPT)
    return pytester


def test_coverage_of_rules_is_told_at_the_end(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--prometheus-rule-coverage")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        ["Coverage: 2 of 2 rules, 1 of 2 branches", '  */rules.yml:7: alert "Down" never resolved']
    )


def test_files_are_left_alone_unless_asked_for(project: pytest.Pytester) -> None:
    project.runpytest_inprocess().assert_outcomes()


def test_each_group_and_each_eval_is_an_item_by_its_name(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--prometheus-rules", "-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        [
            "api_test.yml::rates are recorded PASSED*",
            "api_test.yml::unnamed#1 PASSED*",
            "queries.test::5: requests_total PASSED*",
            "queries.test::8: sum(rate(requests_total*5m*)) PASSED*",
        ]
    )


def test_globs_of_the_ini_file_stand_in_for_the_usual_names(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nprometheus_rule_tests = checks/*.yml")
    folder = project.mkdir("checks")
    folder.joinpath("api.yml").write_text(TESTS.replace("rules.yml", "../rules.yml"))
    project.runpytest_inprocess().assert_outcomes(passed=2)


def test_one_item_is_run_by_its_id(project: pytest.Pytester) -> None:
    project.runpytest_inprocess("--prometheus-rules", "api_test.yml::unnamed#1").assert_outcomes(passed=1)


def test_groups_of_one_name_are_told_apart(project: pytest.Pytester) -> None:
    first, second = TESTS.partition("- interval: 1m")[::2]
    text = f"{first}- name: rates are recorded\n  interval: 1m{second}"
    project.path.joinpath("api_test.yml").write_text(text)
    result = project.runpytest_inprocess("--prometheus-rules", "-v")
    result.stdout.fnmatch_lines(
        ["api_test.yml::rates are recorded PASSED*", "*rates are recorded (2) PASSED*"]
    )


def test_failure_shows_expected_and_got_line_by_line(project: pytest.Pytester) -> None:
    text = TESTS.replace("value: 1}", "value: 2}").replace("{job: a}", "{job: b}")
    project.path.joinpath("api_test.yml").write_text(text)
    result = project.runpytest_inprocess("--prometheus-rules", "api_test.yml")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*rates are recorded*",
            'expr "job:requests:rate5m" at 10m',
            '- job:requests:rate5m{job="a"} 2',
            '+ job:requests:rate5m{job="a"} 1',
            'alert "Down" at 5m',
            '- {alertname="Down", job="b"}',
            '+ {alertname="Down", job="a"}',
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_empty_answer_is_explained(project: pytest.Pytester) -> None:
    project.path.joinpath("api_test.yml").write_text(
        TESTS.replace("expr: job:requests:", "expr: job:request:")
    )
    result = project.runpytest_inprocess("--prometheus-rules", "api_test.yml")
    result.stdout.fnmatch_lines(
        ["*no series of job:request:rate5m is stored; did you mean job:requests:rate5m*"]
    )


def test_rules_that_can_not_be_loaded_fail_the_test_with_the_place(project: pytest.Pytester) -> None:
    project.path.joinpath("rules.yml").write_text(RULES.replace("up == 0", "up =="))
    result = project.runpytest_inprocess("--prometheus-rules", "api_test.yml")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*rules.yml*", "*parse error*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_tests_that_can_not_be_read_are_an_error_of_collection(project: pytest.Pytester) -> None:
    project.path.joinpath("api_test.yml").write_text(TESTS.replace("alertname:", "alert_name:"))
    result = project.runpytest_inprocess("--prometheus-rules", "api_test.yml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*api_test.yml:*alert_name*"])


def test_missing_rule_file_is_a_warning(project: pytest.Pytester) -> None:
    text = TESTS.replace("[rules.yml]", "[rules.yml, other.yml]")
    project.path.joinpath("api_test.yml").write_text(text)
    result = project.runpytest_inprocess("--prometheus-rules", "api_test.yml", "-W", "default")
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["*no rule file matches *other.yml"])


def test_failing_eval_tells_its_line_and_leaves_the_others(project: pytest.Pytester) -> None:
    project.path.joinpath("queries.test").write_text(SCRIPT.replace('"a"} 600', '"a"} 601'))
    result = project.runpytest_inprocess("--prometheus-rules", "queries.test")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["queries.test:5: requests_total", "*601*600*"])


def test_load_that_fails_fails_the_evals_that_follow(project: pytest.Pytester) -> None:
    again = 'load 1m\n  requests_total{job="a"} 1 2\n\neval instant at 0 2\n  2\n'
    project.path.joinpath("queries.test").write_text(f"{SCRIPT}\n{again}")
    result = project.runpytest_inprocess("--prometheus-rules", "queries.test")
    result.assert_outcomes(failed=1, passed=2)
    result.stdout.fnmatch_lines(["queries.test:*: load", "*can't be stored*"])


def test_script_that_is_none_is_an_error_of_collection(project: pytest.Pytester) -> None:
    project.path.joinpath("queries.test").write_text("lod 1m\n")
    result = project.runpytest_inprocess("--prometheus-rules", "queries.test")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*queries.test*1*"])


def test_items_are_shared_out_under_xdist(project: pytest.Pytester) -> None:
    project.runpytest_subprocess("--prometheus-rules", "-n", "2").assert_outcomes(passed=4)


def test_nothing_is_imported_before_a_file_is_collected(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            assert not {"numpy", "aiohttp", "lark", "msgspec"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("--prometheus-rules").assert_outcomes(passed=1)
