"""Decoding at once what senders most often send: series of nothing but labels and floats.

A sample inside its TimeSeries takes 18 bytes then: tag and length (12 10), tag and double (09 ...), tag and a
varint of six bytes (10 ...), which a time between 1971 and 2109 takes; without its double, which is left out
where it is 0, it takes 9 (12 07 10 ...). So samples are found by their first bytes, and what lies between
them has to be, to the byte, labels and the head of the next series. A request of any other form is left to
the decoder that reads field by field.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from miniprom.remote_write.batch import WriteBatch
from tsdb.sample import BoolArray, IntArray

Bytes: TypeAlias = NDArray[np.uint8]

_FIELD_1: Final = 0x0A  # with a length: a TimeSeries in the request, a Label in that
_TIME_BYTES: Final = 6
_TIME_TAG: Final = 0x10
_TIME_SHIFTS: Final = 7 * np.arange(_TIME_BYTES)
_GOES_ON: Final = np.arange(_TIME_BYTES) < _TIME_BYTES - 1  # in a varint
_HEAD: Final = b"\x12\x10\x09"
_HEAD_OF_ZERO: Final = b"\x12\x07\x10"
_SAMPLE_BYTES: Final = 18
_ZERO_BYTES: Final = 9
_PADDING: Final = bytes(_SAMPLE_BYTES)
_MAX_LABELS: Final = 64


def decode_uniform(body: bytes) -> WriteBatch | None:
    """The samples of a WriteRequest, None if it is of another form."""
    content = np.frombuffer(body + _PADDING, dtype=np.uint8)
    at, is_zero = _find_samples(content)
    sample_ends = at + np.where(is_zero, _ZERO_BYTES, _SAMPLE_BYTES)
    if not len(at) or sample_ends[-1] != len(body):
        return None
    timestamps_ms = _times(content, sample_ends)
    first = np.flatnonzero(np.append(True, at[1:] != sample_ends[:-1]))  # of each series
    heads, labels_end, ends = np.append(0, sample_ends[first[1:] - 1]), at[first], sample_ends[first[1:] - 1]
    starts, lengths, are_fields = _fields_at(content, heads)
    if (
        timestamps_ms is None
        or not are_fields.all()
        or (starts + lengths != np.append(ends, len(body))).any()
    ):
        return None
    if not _are_labels(content, starts, labels_end):
        return None
    series = [body[start:end] for start, end in zip(starts.tolist(), labels_end.tolist(), strict=True)]
    values = np.where(is_zero, 0.0, _anywhere(content, np.dtype("<f8"))[at + len(_HEAD)])
    return WriteBatch(series, np.diff(first, append=len(at)), timestamps_ms, values)


def _find_samples(content: Bytes) -> tuple[IntArray, BoolArray]:
    """Where samples may begin, all that do among them, and whether they have no double."""
    found = np.flatnonzero(content[:-2] == _HEAD[0])
    second, third = content[found + 1], content[found + 2]
    is_zero = (second == _HEAD_OF_ZERO[1]) & (third == _HEAD_OF_ZERO[2])
    is_sample = is_zero | (second == _HEAD[1]) & (third == _HEAD[2])
    return found[is_sample], is_zero[is_sample]


def _times(content: Bytes, ends: IntArray) -> IntArray | None:
    """The times in milliseconds; None if one takes other than six bytes."""
    digits = _anywhere(content, np.dtype(("u1", _TIME_BYTES)))[ends - _TIME_BYTES]
    if (content[ends - _TIME_BYTES - 1] != _TIME_TAG).any() or ((digits > 0x7F) != _GOES_ON).any():
        return None
    times_ms: IntArray = ((digits & 0x7F).astype(np.int64) << _TIME_SHIFTS).sum(axis=1)
    return times_ms


def _anywhere(content: Bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    """What begins at each byte, but for the last."""
    return np.ndarray((len(content) - dtype.itemsize,), dtype, content, strides=(1,))


def _fields_at(content: Bytes, at: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Start and length of the content of fields 1, and where there is one that is not too long."""
    low, high = content[at + 1].astype(np.int64), content[at + 2].astype(np.int64)
    is_long = low > 0x7F
    lengths = np.where(is_long, low & 0x7F | high << 7, low)
    return at + 2 + is_long, lengths, (content[at] == _FIELD_1) & ~(is_long & (high > 0x7F))


def _are_labels(content: Bytes, at: IntArray, ends: IntArray) -> bool:
    """Whether there is nothing but fields 1, of two bytes at least, up to each end."""
    for _ in range(_MAX_LABELS):
        left = at < ends
        if not left.any():
            return bool((at == ends).all())
        at, ends = at[left], ends[left]
        starts, lengths, are_fields = _fields_at(content, at)
        if not are_fields.all() or (starts + lengths > ends).any():
            return False
        at = starts + lengths
    return False
