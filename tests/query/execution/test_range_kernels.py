"""Range functions of series with gaps: computed together, they are what each is alone."""

import numpy as np
import pytest

from query import Control, Engine, EngineOptions, QueryCanceledError, RangeMatrix
from query.execution import range_kernels
from query.kernels.ranges import RANGE_KERNELS, RangeKernel
from query.language import EVERYTHING
from tests.query.kernels.test_ranges import ARGS
from tsdb import METRIC_NAME, Store
from tsdb.sample import ABSENT, FloatArray, IntArray

ENGINE = Engine(EngineOptions(parser=EVERYTHING))
STEP_MS = 15_000
END_MS = 40 * STEP_MS


def gapped(series: int, *, alone: int | None = None) -> Store:
    """Counters, each with gaps of its own; `alone`: nothing but one of them."""
    rng = np.random.default_rng(7)
    values = np.cumsum(rng.integers(0, 5, (40, series)), axis=0).astype(np.float64)
    values[20:] -= values[20]
    values[rng.random(values.shape) < 0.3] = ABSENT
    store = Store(retention_ms=None)
    kept = list(range(series)) if alone is None else [alone]
    ids = store.series_ids([((METRIC_NAME, "m_total"), ("i", str(number))) for number in kept])
    store.append_matrix(ids, np.arange(40, dtype=np.int64) * STEP_MS, values[:, kept])
    return store


def answer(store: Store, function: str) -> dict[str, tuple[IntArray, FloatArray]]:
    """By series, the steps with a value, and the values."""
    args = [str(arg) for arg in ARGS.get(function, ())]
    args.insert(1 if function == "quantile_over_time" else 0, "m_total[2m]")
    query = f"{function}({', '.join(args)})"
    value = ENGINE.range(store.snapshot(END_MS), query, 0, END_MS, STEP_MS).value
    assert isinstance(value, RangeMatrix)
    present = np.ones(value.values.shape, dtype=bool) if value.present is None else value.present
    return {
        number: (np.flatnonzero(there), column[there])
        for number, column, there in zip(value.labels.values("i"), value.values.T, present.T, strict=True)
    }


@pytest.mark.parametrize("function", RANGE_KERNELS)
def test_a_series_among_others_with_gaps_is_what_it_is_alone(function: str) -> None:
    together = answer(gapped(12), function)
    for number in ("0", "5", "11"):
        steps, values = together[number]
        alone_steps, alone_values = answer(gapped(12, alone=int(number)), function)[number]
        assert steps.tolist() == alone_steps.tolist()
        np.testing.assert_allclose(values, alone_values, rtol=1e-12)


@pytest.mark.parametrize("function", RANGE_KERNELS)
def test_windows_computed_in_pieces_are_the_same(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answer(gapped(12), function)
    monkeypatch.setattr(range_kernels, "_PIECE_SAMPLES", 20)
    for number, (steps, values) in answer(gapped(12), function).items():
        assert steps.tolist() == whole[number][0].tolist()
        np.testing.assert_allclose(values, whole[number][1], rtol=1e-12)


def test_a_query_ends_between_two_pieces_of_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    control, calls = Control(), []
    kernel = RANGE_KERNELS["sum_over_time"]

    def cancelling(*args: object) -> FloatArray:
        calls.append(args)
        control.cancel()
        return kernel.compute(*args)  # type: ignore[arg-type]  # passed on as they came

    changed = {**RANGE_KERNELS, "sum_over_time": RangeKernel(cancelling)}
    monkeypatch.setattr("query.execution.range_functions._KERNELS", {None: changed})
    monkeypatch.setattr(range_kernels, "_PIECE_SAMPLES", 20)
    with pytest.raises(QueryCanceledError):
        ENGINE.range(
            gapped(1).snapshot(END_MS), "sum_over_time(m_total[5m])", 0, END_MS, STEP_MS, control=control
        )
    assert len(calls) == 1
