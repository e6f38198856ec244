"""Decoding remote write requests, against protobuf itself."""

import contextlib
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.protobuf.wire import WireError
from miniprom.remote_write.request import (
    BadLabelsError,
    WriteBatch,
    decode,
    decode_labels,
    decompress,
)
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
    names = [labels_of(raw) for raw in batch.series]
    return list(zip(names, batch.timestamps_ms, batch.values, strict=True))


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
    first = decode(body, ())
    assert decoded(first) == expected
    again = decode(body, set(first.series))
    assert again == first


@given(st.binary())
@example(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
@example(b"\x0b")
def test_arbitrary_bytes_raise_only_the_declared_error(body: bytes) -> None:
    for known in ((), {b""}):
        with contextlib.suppress(WireError):
            decode(body, known)
    with contextlib.suppress(WireError):
        decompress(body)


@given(st.binary())
def test_arbitrary_labels_raise_only_the_declared_errors(raw: bytes) -> None:
    with contextlib.suppress(BadLabelsError, WireError):
        decode_labels(raw)


def test_known_series_gives_the_same_batch_as_an_unknown_one() -> None:
    body = encode([UP, ({"__name__": "down"}, [(1_700_000_000_000, 0.0)])])
    first = decode(body, ())
    assert decode(body, set(first.series)) == first


def test_bits_of_a_staleness_marker_survive() -> None:
    (value,) = struct.unpack("<d", STALE_BITS)
    assert decode(encode([(UP[0], [(1_700_000_000_000, value)])]), ()).values == [STALE_BITS]


@pytest.mark.parametrize("cut", [1, 5, 20, 30])
def test_request_that_is_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(WireError, match="proto: unexpected EOF"):
        decode(encode([UP])[:-cut], ())


def test_snappy_block_that_claims_too_much_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(WireError, match="too large: 4294967295 bytes"):
        decompress(b"\xff\xff\xff\xff\x0f" + b"\x00" * 10)


def test_snappy_block_that_is_corrupt_is_refused() -> None:
    with pytest.raises(WireError, match="corrupt"):
        decompress(packed(encode([UP]))[:-3])


@pytest.mark.parametrize("pairs", [{}, {"job": "a"}, {"__name__": ""}, {"": "x", "__name__": "up"}], ids=str)
def test_labels_without_a_name_are_refused(pairs: dict[str, str]) -> None:
    raw = decode(encode([(pairs, [(0, 1.0)])]), ()).series[0]
    with pytest.raises(BadLabelsError):
        decode_labels(raw)


def test_label_given_twice_is_refused() -> None:
    raw = decode(encode([UP]), ()).series[0]
    with pytest.raises(BadLabelsError, match="given twice"):
        decode_labels(raw + raw)


def test_labels_are_sorted_and_empty_ones_dropped() -> None:
    raw = decode(encode([({"z": "1", "__name__": "up", "a": ""}, [(0, 1.0)])]), ()).series[0]
    assert decode_labels(raw) == (("__name__", "up"), ("z", "1"))
