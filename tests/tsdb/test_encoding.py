import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsdb import ABSENT, STALE
from tsdb.block import Block, Layout
from tsdb.encoder import encode
from tsdb.encoding import Constant, Decimals, Deltas, Offsets, Plain, Runs
from tsdb.sample import FloatArray

floats = st.one_of(
    st.floats(allow_nan=False),
    st.floats(width=32, allow_nan=False),
    st.integers(-300, 300).map(float),
    st.integers(2**53 - 300, 2**53 + 300).map(float),
    st.integers(0, 2**33).map(float),
)
bits = st.one_of(
    floats.map(lambda value: int(np.array([value]).view(np.uint64)[0])),
    st.integers(0x7FF0000000000001, 0x7FFFFFFFFFFFFFFF),  # NaNs of every payload
    st.sampled_from([0x8000000000000000, 0, 0xFFF8000000000000]),
)


def columns_of(rows: int) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(bits, min_size=rows, max_size=rows), min_size=1, max_size=9)


def matrix(columns: list[list[int]]) -> FloatArray:
    return np.ascontiguousarray(np.array(columns, dtype=np.uint64).T).view(np.float64)


def block(values: FloatArray) -> Block:
    rows, columns = values.shape
    return Block.sealed(Layout(np.arange(columns)), np.arange(rows), values)


def column(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float64)[:, None]


def same(some: FloatArray, others: FloatArray) -> bool:
    return np.array_equal(some.view(np.uint64), np.ascontiguousarray(others).view(np.uint64))


@given(st.integers(1, 5).flatmap(columns_of))
def test_any_bits_are_read_back(columns: list[list[int]]) -> None:
    values = matrix(columns)
    assert same(values, block(values).read(slice(0, values.shape[1]), slice(0, len(values))))


@given(columns_of(4))
def test_any_columns_are_read_back_in_the_order_asked_for(columns: list[list[int]]) -> None:
    values = matrix(columns)
    order = np.random.default_rng(len(columns)).permutation(values.shape[1])[: max(values.shape[1] - 1, 1)]
    assert same(np.ascontiguousarray(values[1:3, order]), block(values).read(order, slice(1, 3)))


@pytest.mark.parametrize(
    ("values", "kind", "bytes_a_sample"),
    [
        (column(7.5, 7.5), Constant, 4),
        (column(0.1, 0.1), Constant, 8),
        (column(np.nan, np.nan), Constant, 4),
        (column(ABSENT, ABSENT), Constant, 8),
        (column(10.0, 265.0), Offsets, 1),
        (column(0.0, 100.0, 200.0, 300.0), Deltas, 1),
        (column(0.0, 200.0, 400.0, 380.0, 600.0), Deltas, 1),
        (column(0.0, 300.0, 0.0, 5.0), Offsets, 2),
        (column(-5.0, 65_530.0, 0.0), Offsets, 2),
        (column(-5.0, 65_531.0, 0.0), Offsets, 4),
        (column(0.0, 2.0**32 - 1, 5.0), Offsets, 4),
        (column(0.0, 2.0**17, 2.0**17 + 1, 2.0**17 + 2**16), Offsets, 4),
        (column(0.0, 2.0**14, 2.0**15, 2.0**16, 2.0**17 - 5), Deltas, 2),
        (column(0.5, 1.5, 9.5), Decimals, 1),
        (column(0.1, 0.25, 1.0), Decimals, 1),
        (column(1234.56, 1234.57, 1240.0), Decimals, 2),
        (column(0.0, 2.0**32 + 1, 5.0), Plain, 8),
        (column(1 / 3, 2 / 3, 0.3), Plain, 8),
        (column(0.0, -0.0, 0.0), Plain, 4),
        (column(1.0, np.inf, -np.inf), Plain, 4),
        (column(1.0, STALE, ABSENT), Offsets, 1),
        (column(0.0, 253.0, ABSENT), Offsets, 1),
        (column(0.0, 254.0, ABSENT), Offsets, 2),
        (column(0.5, STALE, 0.75), Plain, 8),
        (column(1e300, -1e300, 1.0), Plain, 8),
        (column(2.0**52, 2.0**52 - 9), Offsets, 1),
        (column(2.0**53, 2.0**53 - 9), Plain, 8),
        (column(*[1.0] * 50, *[1 / 3] * 50), Runs, 8),
        (column(*[1 / 7] * 30, *[STALE] * 3, *[ABSENT] * 30), Runs, 8),
    ],
)
def test_a_column_takes_its_narrowest_kind(values: FloatArray, kind: type, bytes_a_sample: int) -> None:
    ((_, stripe),) = encode(values)
    assert type(stripe) is kind
    held = stripe.whole if isinstance(stripe, Decimals) else stripe
    data = next(getattr(held, name) for name in ("offsets", "deltas", "values") if hasattr(held, name))
    assert data.itemsize == bytes_a_sample
    assert same(values, stripe.read(slice(0, len(values)), slice(0, 1)))


@pytest.mark.parametrize("exponent", range(1, 10))
def test_decimal_fractions_are_read_back_bit_for_bit(exponent: int) -> None:
    numbers = np.random.default_rng(exponent).integers(0, 10**exponent * 50, (40, 30))
    values = np.array([[float(f"{n}e-{exponent}") for n in row] for row in numbers.tolist()])
    assert same(values, block(values).read(slice(0, 30), slice(0, 40)))
    if exponent <= 7:
        assert block(values).memory_bytes < 0.7 * values.nbytes


def test_a_scrape_that_hardly_changes_costs_a_fraction_of_its_dense_form() -> None:
    values = np.tile(np.random.default_rng(5).random(100), (120, 1))
    values[:, :10] = np.arange(120.0)[:, None]
    assert block(values).memory_bytes < values.nbytes / 20


@given(
    st.lists(st.lists(st.tuples(bits, st.integers(1, 60)), min_size=1, max_size=8), min_size=2, max_size=9),
    st.integers(0, 30),
    st.integers(31, 60),
)
def test_runs_of_any_bits_are_read_back_for_any_rows_and_columns(
    columns: list[list[tuple[int, int]]], first: int, end: int
) -> None:
    spread = [[value for value, length in runs for _ in range(length)] for runs in columns]
    values = matrix([(column + [column[-1]] * 60)[:60] for column in spread])
    order = np.random.default_rng(first).permutation(len(columns))[1:]
    held = block(values)
    assert same(values, held.read(slice(0, len(columns)), slice(0, 60)))
    assert same(np.ascontiguousarray(values[first:end, order]), held.read(order, slice(first, end)))


@given(st.integers(0, 2**40), st.lists(st.integers(-3, 300), min_size=20, max_size=60))
def test_counters_and_gauges_of_whole_numbers_are_read_back_for_any_rows(
    start: int, growth: list[int]
) -> None:
    values = (start + np.cumsum(growth)).astype(np.float64)[:, None] * np.array([1.0, 1000.0, 0.01])
    held = block(values)
    for first in range(0, len(values), 7):
        assert same(values[first:, 1:].copy(), held.read(np.array([1, 2]), slice(first, len(values))))
