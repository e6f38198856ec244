"""A range query answers at each step what an instant query does: presence, matching and all."""

import math
from random import Random

import pytest

from miniprom.promqltest import parse_script
from miniprom.promqltest.comparison import actual_series
from miniprom.promqltest.loading import load
from miniprom.promqltest.runner import OPTIONS
from miniprom.promqltest.statements import Load
from query import Engine, QueryError
from query.execution.result import InstantVector, RangeMatrix, Result
from tsdb import Labels
from tsdb.histogram import FloatHistogram
from tsdb.store import Store

SAMPLES = """
load 1m
  a{x="1", y="1"} 1 2 _ stale NaN 5
  a{x="2", y="1"} _ _ 3 -4 Inf 5
  a{x="2", y="2"} 0 -0 1 2 3 4
  b{x="1"} 10 stale _ 30 40 50
  b{x="2"} -1 -2 {{sum:5 count:4 buckets:[1 2 1]}} _ 3 {{sum:5 count:4 buckets:[1 2 1]}}
  h{x="1"} {{sum:5 count:4 buckets:[1 2 1]}}x5
  c_bucket{le="1", x="1"} 1 2 3 4 5 6
  c_bucket{le="2", x="1"} 1 1 _ stale 5 9
  c_bucket{le="+Inf", x="1"} 3 4 5 6 7 8
"""
TEMPLATES = {
    "{o} {by} ({v})": {"o": "sum avg min max count group stddev stdvar", "by": ", by (x), without (x)"},
    "quantile ({q}, {v})": {"q": "0.5 2 NaN time()/300"},
    "({v} {o} {m} {v})": {
        "o": "+ - * / % ^ atan2 == != > <= </ >/",
        "m": ", on (x), ignoring (y), on (x) group_left (y), on (x) group_right (), on (x) fill (1)",
    },
    "({v} {o} {m} {v})#sets": {"o": "and or unless", "m": ", on (x), ignoring (y), on ()"},
    "({v} {o} {s})": {"o": "+ * < == >/", "s": "2 NaN time()"},
    "{o}({v})": {"o": "abs round sgn hour year timestamp absent histogram_avg -"},
    "histogram_quantile({q}, {v})": {"q": "0.5 2 time()/300"},
    'label_replace({v}, "{l}", "$1", "x", "(.*)")': {"l": "y z"},
    'count_values("{l}", {v})': {"l": "x z"},
    "vector(scalar({v}))": {},
}


def expression(random: Random, depth: int) -> str:
    """A random query of an instant vector."""
    if depth == 0:
        return random.choice(["a", "b", "h", "c_bucket", "nothing", 'a{x="2"}', '{__name__=~".+"}'])
    template, choices = random.choice(list(TEMPLATES.items()))
    text = template.partition("#")[0]
    for name, values in choices.items():
        options = values.split(", ") if ", " in values else values.split()
        text = text.replace("{" + name + "}", random.choice(options))
    while "{v}" in text:
        text = text.replace("{v}", expression(random, depth - 1), 1)
    return text


def samples_at(result: Result, time_ms: int) -> dict[Labels, float | FloatHistogram]:
    value = result.value
    assert isinstance(value, InstantVector | RangeMatrix)
    return {each.labels: each.samples[time_ms] for each in actual_series(value) if time_ms in each.samples}


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


@pytest.mark.parametrize("seed", range(40))
def test_each_step_of_a_range_query_is_an_instant_query(seed: int, store: Store) -> None:
    query = expression(Random(seed), 1 + seed % 3)
    engine, snapshot = Engine(OPTIONS), store.snapshot(360_000)
    times_ms = range(0, 300_001, 60_000)
    try:
        whole = engine.range(snapshot, query, 0, 300_000, 60_000)
    except QueryError:
        with pytest.raises(QueryError):  # noqa: PT012  one of the steps is to fail, whichever
            for time_ms in times_ms:
                engine.instant(snapshot, query, time_ms)
        return
    for time_ms in times_ms:
        expected = samples_at(engine.instant(snapshot, query, time_ms), time_ms)
        actual = samples_at(whole, time_ms)
        assert actual.keys() == expected.keys(), query
        assert all(equal(actual[labels], expected[labels]) for labels in actual), query
