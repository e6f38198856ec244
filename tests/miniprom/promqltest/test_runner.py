"""A runner that lets a wrong answer pass is worse than none: each kind of mistake is a failure, named."""

from dataclasses import replace
from typing import Any

import pytest

from miniprom.promqltest import CaseResult, parse_script, run_script
from query import Engine, RangeMatrix, Result
from query.language.ast import Expr
from tsdb import Snapshot

DATA = """
load 1m
  m{a="1"} 1+1x10
  m{a="2"} 10+10x10

"""


def run(text: str) -> list[CaseResult]:
    return list(run_script(parse_script(text, "script.test")))


def problem(statement: str, data: str = DATA) -> str:
    (result,) = run(data + statement)
    assert not result.passed
    return "\n".join(result.problems)


def assert_passes(statement: str, data: str = DATA) -> None:
    (result,) = run(data + statement)
    assert result.problems == ()


def test_right_instant_answer_passes() -> None:
    assert_passes('eval instant at 2m m\n  m{a="1"} 3\n  m{a="2"} 30')


def test_right_range_answer_passes() -> None:
    assert_passes('eval range from 0 to 2m step 1m m{a="1"}\n  m{a="1"} 1 2 3')


def test_right_range_vector_passes() -> None:
    assert_passes(
        'eval instant at 3m m{a="1"}[2m]\n  expect range vector from 2m to 3m step 1m\n  m{a="1"} 3 4'
    )


def test_no_lines_mean_an_empty_result() -> None:
    assert_passes("eval instant at 2m nothing")


def test_rounding_is_not_a_difference() -> None:
    assert_passes('eval instant at 2m m{a="1"} / 9\n  {a="1"} 0.33333333')


def test_changed_value_is_a_failure() -> None:
    text = problem('eval instant at 2m m\n  m{a="1"} 4\n  m{a="2"} 30')
    assert text == 'm{a="1"} at 120s: expected 4, got 3'


def test_changed_value_in_a_range_is_a_failure() -> None:
    text = problem('eval range from 0 to 2m step 1m m{a="1"}\n  m{a="1"} 1 2 4')
    assert text == 'm{a="1"} at 120s: expected 4, got 3'


def test_changed_value_in_a_range_vector_is_a_failure() -> None:
    text = problem(
        'eval instant at 3m m{a="1"}[2m]\n  expect range vector from 2m to 3m step 1m\n  m{a="1"} 3 5'
    )
    assert text == 'm{a="1"} at 180s: expected 5, got 4'


def test_difference_beyond_a_millionth_is_a_failure() -> None:
    assert "expected 3.00001, got 3" in problem('eval instant at 2m m{a="1"}\n  m{a="1"} 3.00001')


def test_tiny_value_is_not_zero() -> None:
    assert "expected 0, got 1e-30" in problem('eval instant at 2m m{a="1"} * 0 + 1e-30\n  {a="1"} 0')


def test_missing_series_is_a_failure() -> None:
    text = problem('eval instant at 2m m\n  m{a="1"} 3\n  m{a="2"} 30\n  m{a="3"} 5')
    assert text == 'm{a="3"}: expected 5, got no such series'


def test_extra_series_is_a_failure() -> None:
    text = problem('eval instant at 2m m\n  m{a="1"} 3')
    assert text == 'm{a="2"}: not expected, got 30'


def test_result_where_none_is_expected_is_a_failure() -> None:
    assert "not expected" in problem("eval instant at 2m m")


def test_sample_at_a_step_that_expects_none_is_a_failure() -> None:
    text = problem('eval range from 0 to 2m step 1m m{a="1"}\n  m{a="1"} 1 _ 3')
    assert text == 'm{a="1"} at 60s: expected no sample, got 2'


def test_missing_sample_at_the_end_is_a_failure() -> None:
    text = problem('eval range from 9m to 16m step 1m m{a="1"}\n  m{a="1"} 10 11 11 11 11 11 11')
    assert text == 'm{a="1"} at 900s: expected 11, got no sample'


def test_more_values_than_steps_are_a_failure() -> None:
    text = problem('eval range from 0 to 1m step 1m m{a="1"}\n  m{a="1"} 1 2 3')
    assert "3 values expected, but there are only 2 times" in text


def test_name_that_should_be_gone_is_a_failure() -> None:
    assert "not expected" in problem('eval instant at 2m m{a="1"}\n  {a="1"} 3')


def test_wrong_order_is_a_failure() -> None:
    text = problem('eval instant at 2m sort_desc(m)\n  expect ordered\n  m{a="1"} 3\n  m{a="2"} 30')
    assert 'm{a="2"}: expected at place 2, got at 1' in text


def test_right_order_passes() -> None:
    assert_passes('eval instant at 2m sort_desc(m)\n  expect ordered\n  m{a="2"} 30\n  m{a="1"} 3')


def test_order_does_not_matter_unless_it_is_expected() -> None:
    assert_passes('eval instant at 2m sort_desc(m)\n  m{a="1"} 3\n  m{a="2"} 30')


def test_wrong_scalar_is_a_failure() -> None:
    assert problem("eval instant at 2m 1 + 1\n  3") == "expected the scalar 3, got 2"


def test_scalar_where_a_vector_is_expected_is_a_failure() -> None:
    assert problem("eval instant at 2m 1 + 1\n  {} 2") == "expected series, got the scalar 2"


def test_vector_where_a_scalar_is_expected_is_a_failure() -> None:
    assert problem("eval instant at 2m vector(2)\n  2") == "expected the scalar 2, got 1 series"


def test_wrong_string_is_a_failure() -> None:
    assert problem('eval instant at 2m "a"\n  expect string "b"') == "expected 'b', got 'a'"


def test_failure_of_the_query_is_a_failure() -> None:
    assert problem("eval instant at 2m m +").startswith("the query failed: ")


def test_unexpected_success_is_a_failure() -> None:
    assert problem("eval instant at 2m m\n  expect fail") == "expected the query to fail, but it did not"


def test_unexpected_success_of_a_range_query_is_a_failure() -> None:
    text = problem("eval range from 0 to 1m step 1m m\n  expect fail")
    assert text == "expected the query to fail, but it did not"


def test_expected_failure_passes() -> None:
    assert_passes("eval instant at 2m m +\n  expect fail")


def test_old_form_of_an_expected_failure_passes() -> None:
    assert_passes("eval_fail instant at 2m m +")


@pytest.mark.parametrize(
    "line", ["expect fail msg: other", "expect fail regex: ^other", "expected_fail_message other"]
)
def test_failure_with_another_message_is_a_failure(line: str) -> None:
    mode = "eval_fail" if line.startswith("expected") else "eval"
    assert "expected a failure with" in problem(f"{mode} instant at 2m m +\n  {line}")


def test_failure_with_the_message_passes() -> None:
    assert_passes("eval instant at 2m m +\n  expect fail regex: unexpected end of input")


RATE = 'eval instant at 5m rate(m{a="1"}[2m])\n'
RATE_VALUE = '  {a="1"} 0.016666666666666666'
RATE_INFO = (
    'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "m" (1:6)'
)


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "  expect info\n",
        f"  expect info msg: {RATE_INFO}\n",
        "  expect info regex: might not be a counter\n",
        "  expect no_warn\n",
    ],
)
def test_right_annotations_pass(lines: str) -> None:
    assert_passes(RATE + lines + RATE_VALUE)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("  expect no_info\n", "expected no info, got"),
        ("  expect warn\n", "expected the warn anything, got none"),
        ("  expect info msg: other\n", "expected the info 'other', got"),
        ("  expect info regex: other\n", "expected the info the pattern 'other', got"),
        (
            "  expect info msg: other\n",
            "not expected, got the info 'PromQL info: metric might not be a counter",
        ),
    ],
)
def test_wrong_annotations_are_a_failure(lines: str, expected: str) -> None:
    assert expected in problem(RATE + lines + RATE_VALUE)


def test_missing_annotation_is_a_failure() -> None:
    assert "expected the info anything, got none" in problem('eval_info instant at 2m m{a="1"}\n  m{a="1"} 3')


def test_instant_case_must_hold_as_step_of_a_range_query() -> None:
    """`query_range` can't answer with a range vector, though the instant query can."""
    text = problem('eval instant at 3m m{a="1"}[2m]\n  m{a="1"} 4', data='load 3m\n  m{a="1"} 3 4\n\n')
    assert text.startswith("as the middle step of a range query: ")


class WrongInRangeQueries(Engine):
    """Answers range queries by one minute too late."""

    def range(self, snapshot: Snapshot, query: str | Expr, *steps: int, **more: Any) -> Result:
        start_ms, end_ms, step_ms = steps
        late = super().range(snapshot, query, start_ms + 60_000, end_ms + 60_000, step_ms, **more)
        assert isinstance(late.value, RangeMatrix)
        return replace(late, value=replace(late.value, steps_ms=late.value.steps_ms - 60_000))


class BlindToAt(Engine):
    """Answers all instant queries as if `@` had not been written."""

    def instant(self, snapshot: Snapshot, query: str | Expr, time_ms: int, **more: Any) -> Result:
        return super().instant(snapshot, str(query).replace(" @ 120.000", ""), time_ms, **more)


def test_other_value_as_step_of_a_range_query_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miniprom.promqltest.runner.Engine", WrongInRangeQueries)
    text = problem('eval instant at 2m m{a="1"}\n  m{a="1"} 3')
    assert text == 'as the middle step of a range query: m{a="1"} at 120s: expected 3, got 4'


def test_other_scalar_as_step_of_a_range_query_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miniprom.promqltest.runner.Engine", WrongInRangeQueries)
    text = problem("eval instant at 2m time()\n  120")
    assert text == "as the middle step of a range query: expected the scalar 120, got 180"


def test_other_value_with_at_on_the_selectors_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miniprom.promqltest.runner.Engine", BlindToAt)
    text = problem('eval instant at 2m m{a="1"}\n  m{a="1"} 3')
    assert text.startswith('as m{a="1"} @ 120.000 at -1200s: m{a="1"}: expected 3')


def test_crash_of_the_engine_is_a_failure_even_where_one_is_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miniprom.promqltest.runner.Engine.instant", lambda *_: 1 // 0)
    text = problem("eval instant at 2m m +\n  expect fail")
    assert text.startswith("the engine crashed: ZeroDivisionError: ")


def test_order_can_not_be_expected_of_a_range_query() -> None:
    text = problem("eval range from 0 to 1m step 1m m\n  expect ordered")
    assert text == "an order can't be expected of a matrix"


def test_series_where_a_string_is_expected_are_a_failure() -> None:
    assert problem('eval instant at 2m m\n  expect string "m"') == "expected the string 'm', got 2 series"


def test_load_over_older_samples_is_a_failure() -> None:
    (result,) = run("load 1m\n  m 1 2 3\n\nload 30s\n  m 1 2 3")
    assert "samples that can't be stored" in result.problems[0]


def test_clear_empties_the_store() -> None:
    (result,) = run(DATA + "clear\n\neval instant at 2m m")
    assert result.passed


def test_stale_marker_ends_a_series() -> None:
    assert_passes("eval instant at 1m m", data="load 1m\n  m 1 stale\n\n")
