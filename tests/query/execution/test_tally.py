"""How many samples a query holds at most, and reads: as many as upstream's evaluator.

The expected numbers are those of its own tests (promql/engine_test.go: TestQueryStatistics), or counted by
hand as it counts.
"""

from dataclasses import replace

import pytest

from miniprom.promqltest import parse_script
from miniprom.promqltest.loading import load
from miniprom.promqltest.runner import OPTIONS
from miniprom.promqltest.statements import Load
from query import Engine, Statistics
from tsdb.store import Store

ENGINE = Engine(replace(OPTIONS, counts_samples=True))
SAMPLES = """
load 10s
  one 1+1x100
  three{a="1", b="1"} 1+1x100
  three{a="2", b="2"} 1+1x100
  three{a="3", b="2"} 1+1x100
  native {{schema:1 count:5 sum:20 buckets:[1 2 1 1]}}+{{schema:1 count:10 sum:5 buckets:[1 2 3 4]}}x100
"""


@pytest.fixture(scope="module")
def store() -> Store:
    filled = Store(retention_ms=None)
    for statement in parse_script(SAMPLES, "samples").statements:
        assert isinstance(statement, Load)
        load(filled, statement)
    return filled


def statistics(store: Store, query: str, end_ms: int = 0, step_ms: int = 0) -> Statistics:
    """Of an instant query at 3m21s, or of a range query from there."""
    snapshot = store.snapshot(1_000_000)
    if step_ms:
        return ENGINE.range(snapshot, query, 201_000, end_ms, step_ms).stats
    return ENGINE.instant(snapshot, query, 201_000).stats


@pytest.mark.parametrize(
    ("query", "peak", "read"),
    [
        ("1", 1, 0),
        ("one", 1, 1),
        ("native", 13, 13),
        ("timestamp(native)", 2, 1),
        ("one[60s]", 6, 6),
        ("native[60s]", 78, 78),
        ("max_over_time(one[60s])[20s:5s]", 10, 8),
        ("sum(max_over_time(three[60s] @ 30))", 7, 12),
        ("absent_over_time(one[60s])", 7, 6),
        ("max_over_time(three[60s])", 9, 18),
        ("max_over_time(three[60s:5s])", 51, 36),
        ("sum(max_over_time(three[60s:5s])) + sum(max_over_time(three[60s:5s]))", 52, 72),
        ("three + three", 15, 6),  # 3 of either side are held, and gathered; 3 come of them
    ],
)
def test_instant_query_holds_and_reads_what_upstream_does(
    query: str, peak: int, read: int, store: Store
) -> None:
    stats = statistics(store, query)
    assert stats.read_per_step is not None
    assert (stats.peak_samples, stats.read_per_step.tolist()) == (peak, [read])


@pytest.mark.parametrize(
    ("query", "peak", "read"),
    [
        ("three", 12, [3, 3, 3, 3]),
        ("timestamp(one)", 5, [1, 1, 1, 1]),
        ("max_over_time(three[60s] @ 30)", 12, [12, 0, 0, 0]),
        ("max_over_time(three[60s])", 18, [18, 0, 3, 0]),
        ("max_over_time(three[60s:5s])", 69, [36, 3, 3, 3]),
    ],
)
def test_step_reads_what_those_before_it_have_not(
    query: str, peak: int, read: list[int], store: Store
) -> None:
    stats = statistics(store, query, end_ms=220_000, step_ms=5_000)
    assert stats.read_per_step is not None
    assert (stats.peak_samples, stats.read_per_step.tolist()) == (peak, read)


def test_nothing_more_is_counted_unless_asked_for(store: Store) -> None:
    assert Engine(OPTIONS).instant(store.snapshot(1_000_000), "one", 201_000).stats.read_per_step is None
