"""Fused aggregations give what the function and the operator give one after the other."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query import Control, Engine, EngineOptions, Result
from query.execution.errors import EvaluationError, QueryCanceledError, TooManySamplesError
from query.plan.fusing import FUSIBLE
from tests.query.execution.asking import every, instants, matrix, snapshot_of
from tsdb import ABSENT, STALE, Snapshot, Store, labels_from
from tsdb.sample import FloatArray

INTERVAL_MS = 15_000
ROWS = 60
END_MS = ROWS * INTERVAL_MS
ENGINE = Engine(EngineOptions())


@pytest.fixture(autouse=True)
def small_queries_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("query.execution.fused.FUSING_PAYS_FROM", 0)


def unfused(ask: Callable[[], Result]) -> Result:
    with patch("query.plan.build.fused", lambda node: node):
        return ask()


def store_of(columns: Sequence[FloatArray], *, shift_ms: Sequence[int]) -> Snapshot:
    """A series `x` for each column, sampled every interval and a shift; groups of the label `group`."""
    store = Store(retention_ms=None)
    for number, (values, shift) in enumerate(zip(columns, shift_ms, strict=True)):
        labels = labels_from({"__name__": "x_total", "group": f"g{number % 3}", "n": str(number)})
        times_ms = np.arange(1, len(values) + 1) * INTERVAL_MS + shift
        store.append_matrix(store.series_ids([labels]), times_ms, values[:, None])
    return store.snapshot(END_MS)


def counter(random: np.random.Generator) -> FloatArray:
    values: FloatArray = np.cumsum(random.poisson(3.0, ROWS)) + random.choice([0.0, 1e3, 1e9 + 0.123])
    return values


def reset(random: np.random.Generator) -> FloatArray:
    values, row = counter(random), int(random.integers(1, ROWS))
    values[row:] -= values[row]
    return values


def gapped(random: np.random.Generator) -> FloatArray:
    return np.where(random.random(ROWS) < 0.2, ABSENT, counter(random))


def stopped(random: np.random.Generator) -> FloatArray:
    values, row = counter(random), int(random.integers(1, ROWS - 1))
    values[row] = STALE
    values[row + 1 :] = ABSENT
    return values


def begun(random: np.random.Generator) -> FloatArray:
    values, row = counter(random), int(random.integers(1, ROWS))
    values -= values[row]
    values[:row] = ABSENT
    return values


def constant(random: np.random.Generator) -> FloatArray:
    return np.full(ROWS, random.choice([0.0, 7.0]))


def gauge(random: np.random.Generator) -> FloatArray:
    return random.normal(2.0, 3.0, ROWS)


def not_finite(random: np.random.Generator) -> FloatArray:
    values = counter(random)
    values[random.integers(0, ROWS, 3)] = random.choice([np.nan, np.inf, -np.inf])
    return values


def huge(random: np.random.Generator) -> FloatArray:
    return counter(random) * float(random.choice([1e17, 1e299]))


def below_zero(random: np.random.Generator) -> FloatArray:
    return counter(random) - 1e9


ORDINARY = (counter, counter, counter, reset, gapped, stopped, begun, constant)
Kind: TypeAlias = Callable[[np.random.Generator], FloatArray]
KINDS = (*ORDINARY, gauge, not_finite, huge, below_zero)
SELECTORS = (
    "x_total[{}]",
    "x_total[{}] offset 40s",
    "x_total[{}] offset -1m",
    "x_total[{}] @ 500",
    "x_total[{}] @ end()",
)


def snapshot_from(seed: int, kinds: Sequence[Kind]) -> Snapshot:
    random = np.random.default_rng(seed)
    chosen = random.choice(len(kinds), size=40)
    return store_of(
        [kinds[kind](random) for kind in chosen], shift_ms=random.choice([0, 0, 0, 4_000], size=40).tolist()
    )


def assert_agree(one: Result, other: Result, magnitude: Result) -> None:
    """Up to 1e-12 of the size of the terms: where they cancel, no digit of the result is better known."""
    ours, theirs, sizes = matrix(one), matrix(other), matrix(magnitude)
    assert ours.keys() == theirs.keys()
    for labels, samples in theirs.items():
        assert ours[labels].keys() == samples.keys()
        size = np.array(list(sizes[labels].values()))
        bound = 1e-12 * np.where(np.isfinite(size), size, 0.0)
        found, expected = np.array(list(ours[labels].values())), np.array(list(samples.values()))
        assert np.isclose(found, expected, rtol=1e-12, atol=bound, equal_nan=True).all()
    assert one.annotations.infos == other.annotations.infos
    assert one.stats.samples_per_step.tolist() == other.stats.samples_per_step.tolist()
    assert one.stats.peak_samples == other.stats.peak_samples


class Question(NamedTuple):
    seed: int
    pair: tuple[str, str]
    grouping: str
    selector: str
    duration: str
    step_ms: int

    @property
    def query(self) -> str:
        op, function = self.pair
        return f"{op} {self.grouping} ({function}({self.selector.format(self.duration)}))"

    @property
    def magnitude(self) -> str:
        """The query that tells how large the aggregated terms are, whatever their signs."""
        op, function = self.pair
        larger = "max" if op == "min" else op
        return f"{larger} {self.grouping} (abs({function}({self.selector.format(self.duration)})))"


QUESTIONS = st.builds(
    Question,
    seed=st.integers(0, 2**32),
    pair=st.sampled_from(sorted(FUSIBLE)),
    grouping=st.sampled_from(["", "by (group)", "without (n, group)"]),
    selector=st.sampled_from(SELECTORS),
    duration=st.sampled_from(["30s", "1m", "100s", "5m", "20m"]),
    step_ms=st.sampled_from([15_000, 7_000, 60_000, 200_000]),
)


@pytest.mark.parametrize("kinds", [ORDINARY, KINDS], ids=["ordinary", "all kinds"])
@settings(max_examples=40, deadline=None)
@given(question=QUESTIONS)
def test_fused_agrees_with_unfused(kinds: Sequence[Kind], question: Question) -> None:
    snapshot = snapshot_from(question.seed, kinds)

    def ask(query: str = question.query) -> Result:
        return ENGINE.range(snapshot, query, 3_000, END_MS + 120_000, question.step_ms)

    assert_agree(ask(), unfused(ask), ask(question.magnitude))


def test_counters_with_gaps_and_resets_are_summed_without_rates_of_their_own() -> None:
    snapshot = snapshot_from(1, ORDINARY)
    with patch("query.execution.evaluate.aggregate", side_effect=AssertionError):
        result = ENGINE.range(snapshot, "sum by (group) (rate(x_total[1m]))", 60_000, END_MS, 15_000)
    assert len(matrix(result)) == 3


def test_sum_that_cancels_keeps_its_digits() -> None:
    values = {"a": 1e17, "b": 1.0, "c": 1.0, "d": -1e17}
    snapshot = snapshot_of({f"x/{name}": every(10_000, [value]) for name, value in values.items()})
    assert instants(ENGINE.instant(snapshot, "sum(sum_over_time(x[1m]))", 10_000)) == {"": 2.0}


def test_sum_that_leaves_float64_on_its_way_is_infinite() -> None:
    values = {"a": 1.5e308, "b": 1.5e308, "c": 0.0, "d": -1.5e308}
    snapshot = snapshot_of({f"x/{name}": every(10_000, [value]) for name, value in values.items()})
    assert instants(ENGINE.instant(snapshot, "sum(sum_over_time(x[1m]))", 10_000)) == {"": math.inf}


def test_rate_of_series_that_differ_in_name_only_is_refused() -> None:
    samples = every(10_000, [1.0, 2.0])
    snapshot = snapshot_of({f"{name}_total/{n}": samples for name in "ab" for n in "1234"})
    with pytest.raises(EvaluationError, match="same labelset"):
        ENGINE.instant(snapshot, 'sum(rate({__name__=~"a_total|b_total"}[1m]))', 20_000)


def test_sum_of_rates_of_what_may_be_no_counters_is_remarked_on() -> None:
    snapshot = snapshot_of({f"x/{n}": every(10_000, [1.0, 2.0]) for n in "1234"})
    (info,) = ENGINE.instant(snapshot, "sum(rate(x[1m]))", 20_000).annotations.infos
    assert 'might not be a counter, name does not end in _total/_sum/_count/_bucket: "x" (1:10)' in info


def test_canceled_query_ends_before_its_next_block() -> None:
    control = Control()
    control.cancel()
    with pytest.raises(QueryCanceledError):
        ENGINE.range(snapshot_from(1, ORDINARY), "sum(rate(x_total[1m]))", 0, END_MS, 15_000, control=control)


def test_samples_are_counted_before_windows_are_taken() -> None:
    engine = Engine(EngineOptions(max_samples=40 * ROWS))
    with pytest.raises(TooManySamplesError):
        engine.range(snapshot_from(1, ORDINARY), "sum(rate(x_total[1m]))", 0, END_MS, INTERVAL_MS)
