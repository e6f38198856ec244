from collections.abc import Iterator

import numpy as np
import pytest

from query.kernels.grouped import REDUCTIONS, group_present
from query.kernels.grouping import Grouping
from query.kernels.quantiles import grouped_quantile
from query.kernels.selection import SELECTIONS
from tests.query.kernels.oracles_grouped import REDUCTION_ORACLES, SELECTION_ORACLES, quantile
from tsdb.sample import BoolArray, FloatArray

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 1e-9, -1e300])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Kernels run inside the engine's errstate."""
    with np.errstate(all="ignore"):
        yield


class Data:
    """Random values[step, series] in random groups, with and without gaps."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        steps, series, groups = 7, int(random.integers(1, 40)), int(random.integers(1, 6))
        ids = random.integers(0, groups, series)
        _, self.ids = np.unique(ids, return_inverse=True)
        self.grouping = Grouping.of(self.ids.astype(np.int64), int(self.ids.max()) + 1)
        self.values: FloatArray = random.normal(0, 100, (steps, series)).round(int(random.integers(0, 4)))
        if seed % 3 == 0:
            special = random.random((steps, series)) < 0.2
            self.values[special] = random.choice(SPECIAL, int(special.sum()))
        self.present: BoolArray | None = random.random((steps, series)) < 0.7 if seed % 2 else None

    def cells(self) -> Iterator[tuple[int, int, list[int]]]:
        """(step, group, members with a sample) of each cell that has any."""
        for step in range(len(self.values)):
            for group in range(self.grouping.count):
                members = [
                    int(row)
                    for row in np.flatnonzero(self.ids == group)
                    if self.present is None or self.present[step, row]
                ]
                if members:
                    yield step, group, members


def test_each_reduction_has_an_oracle() -> None:
    assert REDUCTIONS.keys() == REDUCTION_ORACLES.keys()


def test_each_selection_has_an_oracle() -> None:
    assert SELECTIONS.keys() == SELECTION_ORACLES.keys()


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("seed", range(24))
def test_reduction_agrees_with_its_oracle(name: str, seed: int) -> None:
    data = Data(seed)
    reduced = REDUCTIONS[name](data.values, data.present, data.grouping)
    for step, group, members in data.cells():
        expected = REDUCTION_ORACLES[name](data.values[step, members].tolist())
        assert reduced[step, group] == pytest.approx(expected, rel=1e-10, abs=1e-10, nan_ok=True)


@pytest.mark.parametrize("seed", range(12))
def test_group_is_present_where_a_member_is(seed: int) -> None:
    data = Data(seed)
    present = group_present(data.present, data.grouping)
    expected = np.zeros((len(data.values), data.grouping.count), dtype=np.bool_)
    for step, group, _ in data.cells():
        expected[step, group] = True
    assert expected.all() if present is None else (present == expected).all()


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("k", [1, 3, 1000])
@pytest.mark.parametrize("seed", range(12))
def test_selection_agrees_with_its_oracle(name: str, k: int, seed: int) -> None:
    data = Data(seed)
    present = np.ones(data.values.shape, dtype=np.bool_) if data.present is None else data.present
    chosen = SELECTIONS[name](data.values, present, data.grouping, k)
    expected = np.zeros_like(chosen)
    for step, _, members in data.cells():
        picked = SELECTION_ORACLES[name](data.values[step, members].tolist(), k)
        expected[step, [members[index] for index in picked]] = True
    assert (chosen == expected).all()


@pytest.mark.parametrize("seed", range(24))
def test_quantile_agrees_with_its_oracle(seed: int) -> None:
    data = Data(seed)
    quantiles = np.array([0.0, 0.5, 0.9, 1.0, -0.1, 1.1, np.nan])
    result = grouped_quantile(quantiles, data.values, data.present, data.grouping)
    for step, group, members in data.cells():
        expected = quantile(float(quantiles[step]), data.values[step, members].tolist())
        assert result[step, group] == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)


def one_group(values: list[float]) -> tuple[FloatArray, None, Grouping]:
    return np.array([values]), None, Grouping.of(np.zeros(len(values), dtype=np.int64), 1)


def test_sum_keeps_the_small_terms_between_large_ones_that_cancel() -> None:
    assert REDUCTIONS["sum"](*one_group([1e100, 1.0, -1e100, 5.0, 1e100, -1e100]))[0, 0] == 6.0


def test_sum_of_finite_terms_overflows_to_inf() -> None:
    assert REDUCTIONS["sum"](*one_group([1.7e308, 1.7e308]))[0, 0] == np.inf


def test_sum_is_never_minus_zero() -> None:
    assert not np.signbit(REDUCTIONS["sum"](*one_group([-0.0]))[0, 0])


def test_sum_that_has_overflowed_stays_infinite() -> None:
    assert REDUCTIONS["sum"](*one_group([1.7e308, 1.7e308, -1.7e308, -1.7e308]))[0, 0] == np.inf


@pytest.mark.parametrize("name", ["topk", "bottomk"])
@pytest.mark.parametrize("numbers", [0, 2, 300, 400])
def test_selection_from_many_series_agrees_with_its_oracle(name: str, numbers: int) -> None:
    random = np.random.default_rng(numbers)
    values = np.full((2, 400), np.nan)
    for row in values:
        row[random.permutation(400)[:numbers]] = random.integers(0, 100, numbers)
    grouping = Grouping.of(np.zeros(400, dtype=np.int64), 1)
    chosen = SELECTIONS[name](values, np.ones(values.shape, dtype=np.bool_), grouping, 3)
    for step in range(2):
        expected = SELECTION_ORACLES[name](values[step].tolist(), 3)
        assert np.flatnonzero(chosen[step]).tolist() == expected


def test_avg_of_terms_whose_sum_overflows_is_finite() -> None:
    assert REDUCTIONS["avg"](*one_group([1.7e308, 1.7e308]))[0, 0] == pytest.approx(1.7e308)


def test_avg_is_exactly_zero_where_overflowing_sums_cancel() -> None:
    big = 9.988465674311579e307
    assert REDUCTIONS["avg"](*one_group([-big, -big, big, big]))[0, 0] == 0.0


def test_stdvar_of_equal_values_is_exactly_zero() -> None:
    assert REDUCTIONS["stdvar"](*one_group([0.1] * 7))[0, 0] == 0.0


def test_min_is_nan_only_if_all_values_are() -> None:
    assert REDUCTIONS["min"](*one_group([np.nan, 3.0]))[0, 0] == 3.0
    assert np.isnan(REDUCTIONS["min"](*one_group([np.nan, np.nan]))[0, 0])
