"""Runs test scripts against the engine. Judges as upstream's promql/promqltest/test.go does."""

import re
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from miniprom.promqltest.comparison import ActualSeries, actual_series, differences, is_sorted, numbers_agree
from miniprom.promqltest.errors import NotationError
from miniprom.promqltest.loading import load
from miniprom.promqltest.pinning import depends_on_evaluation_time, pinned
from miniprom.promqltest.statements import Clear, Evaluation, Expectation, Kind, Load, Script, Steps
from query import Engine, EngineOptions, ParseError, QueryError
from query.execution.result import InstantVector, RangeMatrix, RawMatrix, Result, ScalarPoint, StringPoint
from query.language.parser import EVERYTHING, parse
from query.language.printer import format_expr
from tsdb.numbers import format_number
from tsdb.store import Store

OPTIONS: Final = EngineOptions(
    lookback_ms=300_000,
    max_samples=10_000,
    default_subquery_step_ms=60_000,
    delayed_name_removal=True,
    use_start_timestamps=True,
    parser=EVERYTHING,
)
"""What scripts assume of the engine."""

_DEPENDS_ON_STEPS: Final = re.compile(r"(start|end|range|step)\(\)")
_NEIGHBOUR_MS: Final = 60_000


@dataclass(frozen=True)
class CaseResult:
    """What became of one `eval`: passed if there are no problems."""

    line: int
    query: str
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.problems


def run_script(script: Script) -> Iterator[CaseResult]:
    """The result of each `eval`, in order. A `load` that fails is a case of its own."""
    engine, store = Engine(OPTIONS), Store(retention_ms=None)
    for statement in script.statements:
        match statement:
            case Clear():
                store = Store(retention_ms=None)
            case Load():
                try:
                    load(store, statement)
                except NotationError as error:
                    yield CaseResult(statement.line, "load", (str(error),))
            case Evaluation():
                yield CaseResult(
                    statement.line, statement.query, tuple(_Case(engine, store, statement).problems())
                )


class _Case:
    """One `eval` and all the ways to evaluate it."""

    def __init__(self, engine: Engine, store: Store, evaluation: Evaluation) -> None:
        self._engine = engine
        self._store = store
        self._evaluation = evaluation
        self._expected = evaluation.expected

    def problems(self) -> list[str]:
        """What is wrong in the first way of evaluation in which something is."""
        when, query = self._evaluation.when, self._evaluation.query
        if isinstance(when, Steps):
            return self._evaluated(query, when)
        problems = self._instant(query, when)
        if problems:
            return problems
        for other_query, time_ms in _at_other_times(query, when):
            if problems := self._instant(other_query, time_ms):
                return [f"as {other_query} at {time_ms / 1000:g}s: {problem}" for problem in problems]
        return []

    def _instant(self, query: str, time_ms: int) -> list[str]:
        """Problems as an instant query, then as the middle step of a range query."""
        if problems := self._evaluated(query, time_ms):
            return problems
        expected = self._expected
        if (
            expected.fails
            or expected.ordered
            or expected.string is not None
            or expected.range_vector is not None
            or _DEPENDS_ON_STEPS.search(query)
        ):
            return []
        steps = Steps(time_ms - _NEIGHBOUR_MS, time_ms + _NEIGHBOUR_MS, _NEIGHBOUR_MS)
        problems = self._evaluated(query, steps, only_ms=time_ms)
        return [f"as the middle step of a range query: {problem}" for problem in problems]

    def _evaluated(self, query: str, when: int | Steps, only_ms: int | None = None) -> list[str]:
        """Problems of one evaluation; with `only_ms`, values of that step alone are looked at."""
        try:
            result = self._result(query, when)
        except QueryError as error:
            return _failure_problems(self._expected, error)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            return [f"the engine crashed: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"]
        if self._expected.fails:
            return ["expected the query to fail, but it did not"]
        if only_ms is not None:
            return _middle_problems(self._expected, result, only_ms)
        return _annotation_problems(self._expected, result) + _value_problems(self._expected, result, when)

    def _result(self, query: str, when: int | Steps) -> Result:
        if isinstance(when, Steps):
            snapshot = self._store.snapshot(when.end_ms)
            return self._engine.range(snapshot, query, when.start_ms, when.end_ms, when.step_ms)
        return self._engine.instant(self._store.snapshot(when), query, when)


def _at_other_times(query: str, time_ms: int) -> list[tuple[str, int]]:
    """The query with `@` on its selectors, and times at which it answers the same."""
    try:
        expr = parse(query, EVERYTHING)
    except QueryError:
        return []
    if depends_on_evaluation_time(expr):
        return []
    text = format_expr(pinned(expr, time_ms))
    times_ms = (-10 * time_ms, 0, time_ms // 5, time_ms, 10 * time_ms) if time_ms else (-1000, 0, 1000)
    return [(text, other_ms) for other_ms in times_ms]


def _failure_problems(expected: Expectation, failure: QueryError) -> list[str]:
    if not expected.fails:
        shown = failure.drawing if isinstance(failure, ParseError) else failure
        return [f"the query failed: {shown}".replace("\n", "\n    ")]
    error = str(failure)
    return [
        f"expected a failure with {text.description}, got {error!r}"
        for text in expected.texts_of(Kind.FAIL)
        if not text.matches(error)
    ]


def _annotation_problems(expected: Expectation, result: Result) -> list[str]:
    problems = []
    for kind, texts in ((Kind.WARN, result.annotations.warnings), (Kind.INFO, result.annotations.infos)):
        wanted = expected.texts_of(kind)
        if kind in expected.none_of:
            problems += [f"expected no {kind.value}, got {text!r}" for text in texts]
        if not wanted:
            continue
        for expectation in wanted:
            if not any(map(expectation.matches, texts)):
                got = ", ".join(map(repr, texts)) or "none"
                problems.append(f"expected the {kind.value} {expectation.description}, got {got}")
        problems += [
            f"not expected, got the {kind.value} {text!r}"
            for text in texts
            if not any(expectation.matches(text) for expectation in wanted)
        ]
    return problems


def _value_problems(expected: Expectation, result: Result, when: int | Steps) -> list[str]:
    value = result.value
    if isinstance(value, ScalarPoint):
        return _scalar_problems(expected, value.value)
    if isinstance(value, StringPoint):
        return [] if value.text == expected.string else [f"expected {expected.string!r}, got {value.text!r}"]
    actual = actual_series(value)
    times_ms = [when] if isinstance(when, int) else _times(when)
    if isinstance(value, RawMatrix) and expected.range_vector is not None:
        times_ms = _times(expected.range_vector)
    return _series_problems(expected, times_ms, actual, must_be_sorted=not isinstance(value, InstantVector))


def _middle_problems(expected: Expectation, result: Result, time_ms: int) -> list[str]:
    assert isinstance(result.value, RangeMatrix)
    actual = actual_series(result.value)
    if not is_sorted(actual):
        return ["series are not sorted by their labels"]
    middle = [
        ActualSeries(series.labels, {time_ms: series.samples[time_ms]})
        for series in actual
        if time_ms in series.samples
    ]
    if expected.scalar is not None:
        numbers = [series.samples[time_ms] for series in middle]
        if len(numbers) != 1 or not isinstance(numbers[0], float):
            return [f"expected one scalar, got {len(numbers)} series"]
        return _scalar_problems(expected, numbers[0])
    return differences(expected.series, [time_ms], middle, ordered=False)


def _scalar_problems(expected: Expectation, actual: float) -> list[str]:
    got = format_number(actual)
    if expected.scalar is None:
        return [f"expected series, got the scalar {got}"]
    agree = numbers_agree(expected.scalar, actual)
    return [] if agree else [f"expected the scalar {format_number(expected.scalar)}, got {got}"]


def _series_problems(
    expected: Expectation, times_ms: Sequence[int], actual: Sequence[ActualSeries], *, must_be_sorted: bool
) -> list[str]:
    if expected.scalar is not None:
        return [f"expected the scalar {format_number(expected.scalar)}, got {len(actual)} series"]
    if expected.string is not None:
        return [f"expected the string {expected.string!r}, got {len(actual)} series"]
    if must_be_sorted and expected.ordered:
        return ["an order can't be expected of a matrix"]
    if must_be_sorted and not is_sorted(actual):
        return ["series are not sorted by their labels"]
    return differences(expected.series, times_ms, actual, ordered=expected.ordered)


def _times(steps: Steps) -> list[int]:
    return list(range(steps.start_ms, steps.end_ms + 1, steps.step_ms))
