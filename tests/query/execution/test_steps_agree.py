"""A range query answers at each step what an instant query does: samples, and what is told about them."""

import math
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace

import pytest

from miniprom.promqltest import parse_script
from miniprom.promqltest.comparison import actual_series
from miniprom.promqltest.loading import load
from miniprom.promqltest.runner import OPTIONS
from miniprom.promqltest.statements import Load
from query import Engine, EngineOptions, QueryError, Result
from query.execution.names import DUPLICATE_LABELS
from query.execution.result import InstantVector, RangeMatrix
from tests.query.execution.generated import SAMPLES, query
from tsdb import Labels
from tsdb.histogram import FloatHistogram
from tsdb.store import Store

STEP_MS = 60_000
TIMES_MS = range(0, 480_001, STEP_MS)
# Where names go at the end, a range query's series goes by the first of its samples, as upstream.
ENGINE_OPTIONS = replace(OPTIONS, max_samples=5_000_000, delayed_name_removal=False)
SELECTION = re.compile("topk|bottomk|limitk")
TOLD_OF_ALL_STEPS = re.compile("sort is ineffective|(quantile|ratio) value should be|fixed for monotonicity")

Samples = dict[Labels, float | FloatHistogram]


def samples_by_time(result: Result) -> dict[int, Samples]:
    assert isinstance(result.value, InstantVector | RangeMatrix)
    found: dict[int, Samples] = defaultdict(dict)
    for series in actual_series(result.value):
        for time_ms, sample in series.samples.items():
            found[time_ms][series.labels] = sample
    return found


def told(*results: Result) -> set[str]:
    """What is remarked, without the places: of several with the same text the last is told."""
    remarks = [text for result in results for text in result.annotations.infos + result.annotations.warnings]
    return {re.sub(r" \(\d+:\d+\)$", "", text) for text in remarks if not TOLD_OF_ALL_STEPS.search(text)}


def equal(left: float | FloatHistogram, right: float | FloatHistogram) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or math.isclose(left, right, rel_tol=1e-9)
    return str(left) == str(right)


@pytest.fixture(scope="module")
def store() -> Store:
    filled = Store(retention_ms=None)
    for statement in parse_script(SAMPLES, "samples").statements:
        assert isinstance(statement, Load)
        load(filled, statement)
    return filled


@pytest.mark.parametrize("seed", range(300))
def test_each_step_of_a_range_query_is_an_instant_query(seed: int, store: Store) -> None:
    text, engine, snapshot = query(seed), Engine(ENGINE_OPTIONS), store.snapshot(TIMES_MS[-1])
    try:
        whole = engine.range(snapshot, text, TIMES_MS[0], TIMES_MS[-1], STEP_MS)
    except QueryError as error:
        if str(error) != DUPLICATE_LABELS:  # a range query says so even of series that never meet
            with pytest.raises(QueryError):  # noqa: PT012  one of the steps is to fail, whichever
                for time_ms in TIMES_MS:
                    engine.instant(snapshot, text, time_ms)
        return
    instants = {time_ms: engine.instant(snapshot, text, time_ms) for time_ms in TIMES_MS}
    samples = samples_by_time(whole)
    for time_ms, instant in instants.items():
        expected, actual = samples_by_time(instant).get(time_ms, {}), samples.get(time_ms, {})
        # Which of equal samples are selected is open.
        assert len(actual) == len(expected), text
        assert SELECTION.search(text) or actual.keys() == expected.keys(), text
        both = actual.keys() & expected.keys()
        assert all(equal(actual[labels], expected[labels]) for labels in both), text
    assert told(whole) == told(*instants.values()), text


@pytest.mark.parametrize("seed", range(300, 600))
def test_query_whose_names_go_at_the_end_is_answered_or_refused(seed: int, store: Store) -> None:
    options: EngineOptions = replace(ENGINE_OPTIONS, delayed_name_removal=True)
    with suppress(QueryError):
        Engine(options).range(store.snapshot(TIMES_MS[-1]), query(seed), 0, TIMES_MS[-1], STEP_MS)
