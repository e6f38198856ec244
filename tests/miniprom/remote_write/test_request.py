"""Decoding remote write requests, against protobuf itself."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.protobuf.wire import WireError
from miniprom.remote_write.batch import WriteBatch
from miniprom.remote_write.request import (
    BadLabelsError,
    decode,
    decode_by_field,
    decode_labels,
    decompress,
)
from miniprom.remote_write.uniform import decode_uniform
from tests.miniprom.remote_write.messages import Series, encode, packed
from tsdb import labels_from

UP: Series = ({"__name__": "up", "job": "a"}, [(1_700_000_000_000, 1.5)])
STALE_BITS = b"\x02\x00\x00\x00\x00\x00\xf0\x7f"

texts = st.text(max_size=150)
labels = st.dictionaries(st.text(min_size=1, max_size=8), texts, max_size=4)
samples = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats()), max_size=3)
requests = st.lists(st.tuples(labels, samples), max_size=4)


def flat(series: list[Series]) -> list[tuple[dict[str, str], int, bytes]]:
    return [
        (dict(pairs), timestamp_ms, struct.pack("<d", value))
        for pairs, points in series
        for timestamp_ms, value in points
    ]


def decoded(batch: WriteBatch) -> list[tuple[object, int, bytes]]:
    labels = [labels_of(batch.series[row]) for row in np.repeat(np.arange(len(batch.series)), batch.counts)]
    values = [struct.pack("<d", value) for value in batch.values]
    return list(zip(labels, batch.timestamps_ms.tolist(), values, strict=True))


def labels_of(raw: bytes) -> tuple[tuple[str, str], ...]:
    return decode_labels(b"\x0a\x0d\x0a\x08__name__\x12\x01x" + raw)


@given(requests, st.booleans(), st.booleans())
def test_decoded_samples_are_those_that_protobuf_encoded(
    series: list[Series], metadata: bool, exemplars: bool
) -> None:
    body = encode(series, metadata=metadata, exemplars=exemplars)
    expected = [
        (labels_from({"__name__": "x", **pairs}), time_ms, value) for pairs, time_ms, value in flat(series)
    ]
    assert decoded(decode(body)) == expected


@given(st.binary())
@example(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
@example(b"\x0b")
def test_arbitrary_bytes_raise_only_the_declared_error(body: bytes) -> None:
    with contextlib.suppress(WireError):
        decode(body)
    with contextlib.suppress(WireError):
        decompress(body)


@given(st.binary())
def test_arbitrary_labels_raise_only_the_declared_errors(raw: bytes) -> None:
    with contextlib.suppress(BadLabelsError, WireError):
        decode_labels(raw)


uniform = st.lists(
    st.tuples(
        labels, st.lists(st.tuples(st.integers(2**35, 2**42 - 1), st.floats()), min_size=1, max_size=3)
    ),
    min_size=1,
    max_size=4,
)


@given(uniform)
def test_request_of_labels_and_floats_is_decoded_at_once_and_to_the_same(series: list[Series]) -> None:
    body = encode(series)
    at_once = decode_uniform(body)
    if at_once is not None:  # by chance bytes of labels or values look like the beginning of a sample
        assert decoded(at_once) == decoded(decode_by_field(body))


def test_common_request_is_decoded_at_once() -> None:
    wide = {"__name__": "wide", **{f"label_{number}": "x" * 200 for number in range(9)}}
    at_once = decode_uniform(encode([UP, (wide, [(1_700_000_000_000, 0.0), (1_700_000_000_001, 1.0)])]))
    assert at_once is not None
    assert at_once.counts.tolist() == [1, 2]


LOOKS_LIKE_A_SAMPLE = b"\x12\x10\x09" + bytes(8) + b"\x10\x80\x80\x80\x80\x80\x01"


@pytest.mark.parametrize("count", [1, 2])
def test_label_that_looks_like_samples_is_a_label_all_the_same(count: int) -> None:
    value = LOOKS_LIKE_A_SAMPLE * count
    name = b"\x0a\x0e\x0a\x08__name__\x12\x02up"
    labels = name + b"\x0a" + bytes([len(value) + 5]) + b"\x0a\x01z\x12" + bytes([len(value)]) + value
    sample = LOOKS_LIKE_A_SAMPLE
    without, one = (b"\x0a" + bytes([len(content)]) + content for content in (labels, labels + sample))
    assert decode(without).series == []
    assert decode(one).series == [labels]
    assert decode(one).counts.tolist() == [1]


def test_bits_of_a_staleness_marker_survive() -> None:
    (value,) = struct.unpack("<d", STALE_BITS)
    batch = decode(encode([(UP[0], [(1_700_000_000_000, value)])]))
    assert batch.values.tobytes() == STALE_BITS


@pytest.mark.parametrize("cut", [1, 5, 20, 30])
def test_request_that_is_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(WireError, match="proto: unexpected EOF"):
        decode(encode([UP])[:-cut])


def test_snappy_block_that_claims_too_much_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(WireError, match="too large: 4294967295 bytes"):
        decompress(b"\xff\xff\xff\xff\x0f" + b"\x00" * 10)


def test_snappy_block_that_is_corrupt_is_refused() -> None:
    with pytest.raises(WireError, match="corrupt"):
        decompress(packed(encode([UP]))[:-3])


@pytest.mark.parametrize("pairs", [{}, {"job": "a"}, {"__name__": ""}, {"": "x", "__name__": "up"}], ids=str)
def test_labels_without_a_name_are_refused(pairs: dict[str, str]) -> None:
    raw = decode(encode([(pairs, [(0, 1.0)])])).series[0]
    with pytest.raises(BadLabelsError):
        decode_labels(raw)


def test_label_given_twice_is_refused() -> None:
    raw = decode(encode([UP])).series[0]
    with pytest.raises(BadLabelsError, match="given twice"):
        decode_labels(raw + raw)


def test_labels_are_sorted_and_empty_ones_dropped() -> None:
    raw = decode(encode([({"z": "1", "__name__": "up", "a": ""}, [(0, 1.0)])])).series[0]
    assert decode_labels(raw) == (("__name__", "up"), ("z", "1"))
