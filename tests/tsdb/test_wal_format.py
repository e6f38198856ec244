"""Records: what is read is what was written, or it is damaged."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tsdb import wal_format
from tsdb.histogram import Buckets, CounterReset, FloatHistogram
from tsdb.wal_format import DamagedError, Kind, records

label_sets = st.dictionaries(st.text(max_size=9), st.text(min_size=1, max_size=9), max_size=4).map(
    lambda pairs: tuple(sorted(pairs.items()))
)
cells = st.integers(0, 40).flatmap(lambda width: npst.arrays(np.uint64, (3, width)))
numbers = st.floats(width=64)
sides = st.lists(st.tuples(st.integers(-(2**40), 2**40), numbers), max_size=4).map(
    lambda pairs: Buckets(
        np.array([index for index, _ in pairs], dtype=np.int64), np.array([count for _, count in pairs])
    )
)
histograms = st.builds(
    FloatHistogram,
    schema=st.integers(-53, 8),
    count=numbers,
    sum=numbers,
    zero_threshold=st.floats(0, 1),
    zero_count=numbers,
    positive=sides,
    negative=sides,
    custom_values=st.lists(st.floats(allow_nan=False), max_size=3).map(tuple),
    counter_reset_hint=st.sampled_from(CounterReset),
)


def payload(record: bytes) -> memoryview:
    ((_, found),) = records(memoryview(record))
    return found


@given(st.lists(label_sets, max_size=4))
def test_series_round_trip(labels: list[tuple[tuple[str, str], ...]]) -> None:
    ids = np.arange(7, 7 + len(labels), dtype=np.int32)
    found_ids, found = wal_format.read_series(payload(wal_format.write_series(ids, labels)))
    assert found_ids.tolist() == ids.tolist()
    assert found == labels


@given(cells, st.integers(-(2**63), 2**63 - 1))
def test_rows_round_trip_as_changes_to_the_row_before(rows: wal_format.BitsArray, time_ms: int) -> None:
    before = np.zeros(rows.shape[1], dtype=np.uint64)
    read = before.copy()
    for row in rows:
        found = payload(wal_format.write_row(3, time_ms, row, before))
        assert wal_format.read_row_head(found) == (3, time_ms)
        wal_format.read_row(found, read)
        assert read.tolist() == row.tolist()
        before = row


@given(histograms)
def test_histogram_round_trips_with_its_hint(histogram: FloatHistogram) -> None:
    found = wal_format.read_histogram(payload(wal_format.write_histogram(5, -9, histogram)))
    assert found == (5, -9, histogram)
    assert found[2].counter_reset_hint is histogram.counter_reset_hint


def test_layout_is_the_one_that_is_documented() -> None:
    row = wal_format.write_row(2, 1, np.array([0, 5], dtype=np.uint64), np.zeros(2, dtype=np.uint64))
    body = bytes.fromhex("1500000003020000000100000000000000400500000000000000")
    assert row == zlib.crc32(body).to_bytes(4, "little") + body


@pytest.mark.parametrize("bit", range(8 * 21))
def test_any_flipped_bit_is_damage(bit: int) -> None:
    record = bytearray(wal_format.write_columns(1, np.array([1, 2], dtype=np.int32)))
    assert len(record) == 21
    record[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DamagedError, match="at offset 0"):
        list(records(memoryview(record)))


@pytest.mark.parametrize("length", range(1, 21))
def test_record_that_is_cut_short_is_damage(length: int) -> None:
    first = wal_format.record(Kind.END)
    record = first + wal_format.write_columns(1, np.array([1, 2], dtype=np.int32))[:length]
    found = records(memoryview(record))
    assert next(found)[0] is Kind.END
    with pytest.raises(DamagedError, match="cut short at offset 9"):
        next(found)
