import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from miniprom.fake.errors import FakeError
from miniprom.fake.loading import read_load
from tsdb import is_absent, is_stale
from tsdb.histogram import FloatHistogram
from tsdb.sample import FloatArray

NOW_MS = 1_700_000_000_000
ABSENT, STALE = "absent", "stale"


def column(generator: Mapping[str, Any], *, end: int, interval: int = 10) -> FloatArray:
    """The values of a generator from NOW on for so many seconds."""
    start = NOW_MS // 1000
    body = {"series": {"x": generator}, "interval": interval, "start": start, "end": start + end}
    [block] = read_load(body, NOW_MS).blocks
    assert block.timestamps_ms.tolist() == list(range(NOW_MS, NOW_MS + end * 1000 + 1, interval * 1000))
    values: FloatArray = block.values[:, 0].copy()
    return values


def told(values: FloatArray) -> list[float | str]:
    gone, marked = is_absent(values), is_stale(values)
    return [
        ABSENT if no else STALE if mark else float(value)
        for value, no, mark in zip(values, gone, marked, strict=True)
    ]


@pytest.mark.parametrize(
    ("generator", "expected"),
    [
        ({"generator": "ramp", "last": 8}, [0, 2, 4, 6, 8]),
        ({"generator": "ramp", "first": 8, "last": 0}, [8, 6, 4, 2, 0]),
        ({"generator": "ramp", "first": 1, "per_second": 0.5}, [1, 6, 11, 16, 21]),
        ({"generator": "sine", "period": "40s"}, [0, 1, 0, -1, 0]),
        ({"generator": "sine", "period": 40, "mean": 5, "amplitude": 2, "phase": 10}, [7, 5, 3, 5, 7]),
        ({"generator": "counter", "per_second": 3}, [0, 30, 60, 90, 120]),
        ({"generator": "counter", "first": 7}, [7, 17, 27, 37, 47]),
        # A reset at 20 s: counting begins at zero there, and there is a sample at that very moment.
        ({"generator": "counter", "reset_every": "20s"}, [0, 10, 0, 10, 0]),
        # At 15 s, between two samples: 5 s later it has counted for 5 s.
        ({"generator": "counter", "resets": ["+15s"]}, [0, 10, 5, 15, 25]),
        ({"generator": "counter", "resets": ["+11s", "+13s"]}, [0, 10, 7, 17, 27]),
        ({"generator": "counter", "resets": ["-1h", "+1h", "now"]}, [0, 10, 20, 30, 40]),
        # The rate at the end of each interval holds for it; a negative one counts nothing.
        (
            {"generator": "counter", "per_second": {"generator": "ramp", "first": -1, "last": 3}},
            [0, 0, 10, 30, 60],
        ),
        ({"generator": "flapping", "up": "20s", "down": "10s"}, [1, 1, 0, 1, 1]),
        ({"generator": "flapping", "up": "10s", "down": "10s", "high": 5, "low": 2}, [5, 2, 5, 2, 5]),
        ({"generator": "flapping", "up": "10s", "down": "20s", "over": 3}, [3, STALE, ABSENT, 3, STALE]),
        ({"generator": "outage", "over": 3, "start": "+10s", "end": "+20s"}, [3, STALE, ABSENT, 3, 3]),
        ({"generator": "outage", "over": 3, "start": "+11s", "end": "+20s"}, [3, 3, STALE, 3, 3]),
        (
            {"generator": "outage", "over": 3, "start": "+10s", "end": "+20s", "stale": False},
            [3, ABSENT, ABSENT, 3, 3],
        ),
        (
            {
                "generator": "outage",
                "start": "+20s",
                "end": "+20s",
                "over": {"generator": "counter", "per_second": 1},
            },
            [0, 10, STALE, 30, 40],
        ),
    ],
    ids=str,
)
def test_generator_has_these_values_ten_seconds_apart(
    generator: Mapping[str, Any], expected: list[float | str]
) -> None:
    assert told(column(generator, end=40)) == [
        pytest.approx(value, abs=1e-12) if isinstance(value, int | float) else value for value in expected
    ]


def test_generator_ends_now_and_began_two_hours_before_unless_told() -> None:
    [block] = read_load({"series": {"x": {"generator": "ramp", "last": 1}}, "interval": "1m"}, NOW_MS).blocks
    assert block.timestamps_ms[[0, -1]].tolist() == [NOW_MS - 7_200_000, NOW_MS]
    assert len(block.timestamps_ms) == 121


def test_noise_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    first, same, other = (
        column({"generator": "noise", "seed": seed, "deviation": 2, "mean": 10}, end=10_000)
        for seed in (1, 1, 2)
    )
    assert first.tolist() == same.tolist()
    assert not np.isclose(first, other).any()
    assert first.mean() == pytest.approx(10, abs=0.3)
    assert first.std() == pytest.approx(2, abs=0.3)


def test_noise_leaves_gaps_alone() -> None:
    outage = {"generator": "outage", "over": 100, "start": "+10s", "end": "+20s"}
    values = told(column({"generator": "noise", "over": outage, "deviation": 0}, end=30))
    assert values == [100, STALE, ABSENT, 100]


def test_series_of_a_template_have_noise_of_their_own() -> None:
    body = {"series": {'x{i="{i}"}': {"generator": "noise", "seed": 5}}, "count": 3}
    values = np.concatenate([block.values for block in read_load(body, NOW_MS).blocks], axis=1)
    assert len(set(values[0].tolist())) == 3
    sixth = read_load({"series": {"x": {"generator": "noise", "seed": 6}}}, NOW_MS).blocks[0].values
    assert values[:, 1].tolist() == sixth[:, 0].tolist()


def histogram_series(**fields: object) -> dict[str, list[float]]:
    """The values after 0, 10 and 20 s by suffix and bound."""
    start = NOW_MS // 1000
    body = {
        "series": {'h{a="b"}': {"generator": "histogram", **fields}},
        "interval": 10,
        "start": start,
        "end": start + 20,
    }
    found = {}
    for block in read_load(body, NOW_MS).blocks:
        for number, labels in enumerate(block.labels):
            pairs = dict(labels)
            assert pairs["a"] == "b"
            found[pairs["__name__"] + pairs.get("le", "")] = block.values[:, number].tolist()
    return found


def test_classic_histogram_counts_what_a_uniform_distribution_lets_expect() -> None:
    assert histogram_series(distribution="uniform", low=0, high=4, per_second=4, buckets=[1, 3, "+Inf"]) == {
        "h_bucket1": [0, 10, 20],
        "h_bucket3": [0, 30, 60],
        "h_bucket+Inf": [0, 40, 80],
        "h_sum": [0, 80, 160],
        "h_count": [0, 40, 80],
    }


@pytest.mark.parametrize(
    ("distribution", "below_one", "mean"),
    [
        ({"distribution": "exponential", "mean": 1}, 1 - math.exp(-1), 1),
        ({"distribution": "normal", "mean": 1, "deviation": 3}, 0.5, 1),
        ({"distribution": "lognormal", "median": 1, "sigma": 1}, 0.5, math.exp(0.5)),
    ],
    ids=str,
)
def test_share_below_a_bound_is_that_of_the_distribution(
    distribution: dict[str, object], below_one: float, mean: float
) -> None:
    found = histogram_series(**distribution, per_second=10_000, buckets=[1])
    assert found["h_bucket1"][2] == round(200_000 * below_one)
    assert found["h_sum"][2] == pytest.approx(200_000 * mean)


def test_native_histogram_counts_every_observation_once() -> None:
    generator = {
        "generator": "histogram",
        "distribution": "uniform",
        "low": -2,
        "high": 2,
        "per_second": 4,
        "native": True,
        "schema": 0,
    }
    start = NOW_MS // 1000
    body = {"series": {"h": generator}, "interval": 10, "start": start, "end": start + 10}
    [series] = read_load(body, NOW_MS).mixed
    empty, full = series.values
    assert isinstance(empty, FloatHistogram)
    assert isinstance(full, FloatHistogram)
    assert empty.count == 0
    # 40 observations: (1, 2] and (0.5, 1] on either side have a quarter and an eighth of them.
    positive = dict(zip(full.positive.indexes.tolist(), full.positive.counts.tolist(), strict=True))
    negative = dict(zip(full.negative.indexes.tolist(), full.negative.counts.tolist(), strict=True))
    assert [positive[1], positive[0], negative[1], negative[0]] == pytest.approx([10, 5, 10, 5])
    assert sum(positive.values()) + sum(negative.values()) + full.zero_count == pytest.approx(40)
    assert full.count == 40


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        ({"generator": "ramps", "last": 1}, "did you mean 'ramp'?"),
        ({"generator": "ramp"}, 'expected one of "last" and "per_second"'),
        ({"generator": "ramp", "lst": 1}, "unknown field 'lst'"),
        ({"generator": "sine"}, "x'.period: expected a duration"),
        ({"generator": "counter", "per_second": "fast"}, "expected a number or a generator, got 'fast'"),
        ({"generator": "counter", "reset_every": "0s"}, "expected a duration of at least 1 ms"),
        ({"generator": "outage", "start": "-1m", "end": "now"}, "x'.over: expected a number or a generator"),
        (
            {"generator": "outage", "over": 1, "start": "now", "end": "-1m"},
            "a time that is not before start",
        ),
        ({"generator": "flapping", "up": "1m"}, "x'.down: expected a duration"),
        ({"generator": "noise", "deviation": -1}, "expected a number of at least 0"),
        ({"generator": "histogram", "distribution": "poisson"}, "expected one of exponential"),
        (
            {"generator": "histogram", "distribution": "exponential", "mean": 0},
            "a number greater than 0",
        ),
        ({"generator": "histogram", "distribution": "exponential", "mean": 1, "low": 2}, "but no 'low'"),
        ({"generator": "histogram", "distribution": "uniform", "low": 1, "high": 1}, "greater than low"),
    ],
    ids=str,
)
def test_faulty_generator_is_refused_with_the_place(generator: dict[str, object], message: str) -> None:
    with pytest.raises(FakeError) as error:
        read_load({"series": {"x": generator}}, NOW_MS)
    assert message in str(error.value)
    assert "series 'x'" in str(error.value)
