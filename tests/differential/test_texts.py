"""Through the API of both: numbers and times as text, and the order of series."""

import json
from typing import Any

import pytest

from benchmarks.programs import Running
from tests.differential.answers import Window, body_of, differences, from_server
from tests.differential.fixed_queries import fixed_queries
from tests.differential.samples import END_MS, START_MS
from tests.differential.test_answers import in_their_words
from tests.differential.vocabulary import DISTINCT, METRICS

pytestmark = pytest.mark.peer

INSTANT = Window(START_MS + 1_500_500)
RANGE = Window(START_MS + 500, END_MS, 131_000)

EXACT = (
    *METRICS,
    *(f"max by (job) ({name})" for name in METRICS),
    *("-odd_values", "odd_values * 1e20", "odd_values / 1e9", "odd_values > bool 0", "1 / up", "-(1 / up)"),
    *("timestamp(up)", "time()", "pi()", "-0", "NaN", "-Inf", "1e21", "1e-7", "123456789012345680000"),
    *("vector(5e-324)", "vector(1.7976931348623157e308)", "vector(1e20)", "vector(1e21)", "0.000001"),
    *("vector(1234567.5)", "vector(100000)", "vector(-1e-6)", "vector(9.999999e-7)", "vector(0.1 + 0.2)"),
    'count_values("value", odd_values)', 'count_values("value", requests_total * 1e15)',
    'label_replace(up, "text", "ö \\"\\\\ \\t <&> €", "", "")',
)  # fmt: skip
ONLY_INSTANT = (
    *(f"{name}[1m]" for name in METRICS), *("up[5m:1m]", '"a \\"text\\" ö"', "`raw`"),
    *(f"{function}({name})" for function in ("sort", "sort_desc") for name in DISTINCT),
    *(f"{function}(4, {name})" for function in ("topk", "bottomk") for name in DISTINCT),
)  # fmt: skip


@pytest.mark.parametrize("query", EXACT)
def test_range_query_is_answered_with_the_same_texts_in_the_same_order(
    query: str, prometheus: Running, miniprom: Running
) -> None:
    assert _data(miniprom, query, RANGE) == _data(prometheus, query, RANGE)


@pytest.mark.parametrize("query", [*EXACT, *ONLY_INSTANT])
def test_instant_query_is_answered_with_the_same_texts(
    query: str, prometheus: Running, miniprom: Running
) -> None:
    ours, theirs = _data(miniprom, query, INSTANT), _data(prometheus, query, INSTANT)
    if ours["resultType"] == "vector" and not query.startswith(("sort", "topk", "bottomk")):
        for data in (ours, theirs):
            data["result"].sort(key=lambda series: sorted(series["metric"].items()))
    assert ours == theirs


@pytest.mark.parametrize("query", fixed_queries()[::10])
def test_fixed_query_is_answered_by_the_server_as_prometheus_does(
    query: str, prometheus: Running, miniprom: Running
) -> None:
    for window in (INSTANT, RANGE):
        theirs = from_server(prometheus, in_their_words(query), window)
        assert differences(from_server(miniprom, query, window), theirs) == []


def _data(server: Running, query: str, window: Window) -> Any:
    """The answer with its numbers as the texts they are."""
    envelope = json.loads(body_of(server, window.path(query)), parse_float=str, parse_int=str)
    assert envelope["status"] == "success", envelope
    return envelope["data"]
