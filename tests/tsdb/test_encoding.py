import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tsdb import ABSENT, STALE
from tsdb.block import Block, Layout
from tsdb.encoding import Constant, Offsets, Plain, encode
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
    order = np.random.default_rng(len(columns)).permutation(values.shape[1])[: values.shape[1] - 1]
    assert same(np.ascontiguousarray(values[1:3, order]), block(values).read(order, slice(1, 3)))


@pytest.mark.parametrize(
    ("values", "kind", "bytes_a_sample"),
    [
        (column(7.5, 7.5, 7.5), Constant, 0),
        (column(np.nan, np.nan, np.nan), Constant, 0),
        (column(ABSENT, ABSENT, ABSENT), Constant, 0),
        (column(10.0, 265.0, 12.0), Offsets, 1),
        (column(10.0, 266.0, 12.0), Offsets, 2),
        (column(-5.0, 65_530.0, 0.0), Offsets, 2),
        (column(-5.0, 65_531.0, 0.0), Offsets, 4),
        (column(0.0, 2.0**32 - 1, 5.0), Offsets, 4),
        (column(0.5, 1.5, 9.5), Offsets, 1),
        (column(0.25, 0.5, 1.0), Plain, 4),
        (column(0.0, 2.0**32, 3.0), Plain, 4),
        (column(0.0, 2.0**32 + 1, 5.0), Plain, 8),
        (column(0.1, 0.2, 0.3), Plain, 8),
        (column(0.0, -0.0, 0.0), Plain, 4),
        (column(1.0, np.inf, -np.inf), Plain, 4),
        (column(1.0, STALE, ABSENT), Plain, 8),
        (column(1e300, -1e300, 1.0), Plain, 8),
    ],
)
def test_a_column_takes_its_narrowest_kind(values: FloatArray, kind: type, bytes_a_sample: int) -> None:
    ((_, stripe),) = encode(values)
    data: NDArray[np.generic] = getattr(stripe, "offsets", getattr(stripe, "values", values))
    assert type(stripe) is kind
    assert (0 if kind is Constant else data.itemsize) == bytes_a_sample
    assert same(values, stripe.read(slice(0, 3), slice(0, 1)))


def test_a_scrape_that_hardly_changes_costs_a_fraction_of_its_dense_form() -> None:
    values = np.tile(np.random.default_rng(5).random(100), (120, 1))
    values[:, :10] = np.arange(120.0)[:, None]
    assert block(values).memory_bytes < values.nbytes / 20
