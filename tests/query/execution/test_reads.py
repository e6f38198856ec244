"""Which samples a query looks at."""

import pytest

from query import EngineOptions, QueryWindow
from query.execution.engine import Engine
from query.language import EVERYTHING

ENGINE = Engine(EngineOptions(parser=EVERYTHING))
AT_1000 = QueryWindow(1_000_000, 1_000_000, 0)
HOUR = QueryWindow(3_600_000, 7_200_000, 60_000)


def spans(query: str, window: QueryWindow = AT_1000) -> list[tuple[int, int]]:
    """From when to when each selector looks, in seconds."""
    return [(read.start_ms // 1000, read.end_ms // 1000) for read in ENGINE.reads(query, window)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("1 + 1", []),
        ("x", [(700, 1000)]),
        ("-x offset 1m", [(640, 940)]),
        ("x @ 500", [(200, 500)]),
        ("rate(x[2m])", [(880, 1000)]),
        ("sum(rate(x[2m] offset -1m))", [(940, 1060)]),
        ("rate(x[2m] anchored)", [(580, 1000)]),
        ("rate(x[2m] smoothed)", [(580, 1300)]),
        ("max_over_time(x[2m:1m])", [(600, 960)]),
        ("max_over_time(rate(x[2m])[2m:1m] offset 100s)", [(720, 900)]),
        ("topk(scalar(y), x)", [(700, 1000), (700, 1000)]),
        ("info(x offset 1m)", [(640, 940), (640, 940)]),
    ],
)
def test_instant_query_reads(query: str, expected: list[tuple[int, int]]) -> None:
    assert spans(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("x", [(3300, 7200)]),
        ("x @ start()", [(3300, 3600)]),
        ("rate(x[5m] @ end())", [(6900, 7200)]),
        ("max_over_time(x[10m:5m])", [(3000, 7200)]),
    ],
)
def test_range_query_reads(query: str, expected: list[tuple[int, int]]) -> None:
    assert spans(query, HOUR) == expected


def test_times_are_told_where_stale_markers_count() -> None:
    (instant,) = ENGINE.reads("x offset 1m", HOUR)
    assert instant.newest_at_ms is not None
    assert instant.newest_at_ms[[0, 1, -1]].tolist() == [3_540_000, 3_600_000, 7_140_000]
    (ranged,) = ENGINE.reads("rate(x[5m])", HOUR)
    assert ranged.newest_at_ms is None


def test_info_series_are_read_by_their_matchers() -> None:
    reads = ENGINE.reads('info(x, {__name__="build_info",version=~".+"})', AT_1000)
    assert [str(matcher) for matcher in reads[0].matchers] == ['__name__="x"']
    assert [str(matcher) for matcher in reads[1].matchers] == ['__name__="build_info"', 'version=~".+"']
