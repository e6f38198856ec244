"""The format of the log, for writer, reader and tests. Segments and snapshots share it.

A file is a sequence of records; numbers are little-endian:

    record     = checksum uint32   CRC-32 of all that follows
                 length uint32     of the payload
                 kind uint8
                 payload

    SERIES     = count uint32, ids int32[count], JSON array of label sets [[name, value], ...]
    COLUMNS    = slot uint32, ids int32[n]
    ROW        = slot uint32, time_ms int64, changed bit[n], float64[number of bits set]
    HISTOGRAM  = id int32, time_ms int64, schema int32, hint uint8, lengths uint32[3],
                 count, sum, zero threshold, zero count float64,
                 positive indexes int64[], counts float64[]; negative the same; custom values float64[]
    STARTS     = id int32, count uint32, times_ms int64[count], start_times_ms int64[count]
    TABLE      = packed table of labels, see held.py
    RING       = packed ring, the same; its series are positions in the last TABLE
    END        = empty; the last record of a snapshot

An id means what the last SERIES or TABLE record in the same file says. A slot means what the last COLUMNS
record in the same file says; after it, the cells of the slot are 0. A row's cells are those of the slot's
row before, but for the changed ones: a steady value costs a bit. An ABSENT cell is no sample.

Nothing refers to another file, so that what is lost with a damaged record ends with its file. What changes
gets a new kind: a kind's payload never changes its meaning, and old files stay readable.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsdb.errors import TsdbError
from tsdb.held import HeldRing, LabelTable, describe_ring, ring_of
from tsdb.histogram import Buckets, CounterReset, FloatHistogram
from tsdb.labels import Labels
from tsdb.packing import pack, unpack
from tsdb.sample import CodeArray, IntArray

BitsArray: TypeAlias = NDArray[np.uint64]

_HEAD: Final = struct.Struct("<IIB")
_CHECKSUM: Final = struct.Struct("<I")
_COUNT: Final = struct.Struct("<I")
_ROW: Final = struct.Struct("<Iq")
_HISTOGRAM: Final = struct.Struct("<iqiB3I4d")
_STARTS: Final = struct.Struct("<iI")
_HINTS: Final = tuple(CounterReset)


class Kind(IntEnum):
    """What a record says."""

    SERIES = 1
    COLUMNS = 2
    ROW = 3
    HISTOGRAM = 4
    STARTS = 5
    END = 6
    TABLE = 7
    RING = 8


class DamagedError(TsdbError):
    """A record that was not written as it stands there; `offset` is where it begins."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"{reason} at offset {offset}")
        self.offset = offset


def record(kind: Kind, *parts: bytes) -> bytes:
    """A record with the parts of its payload."""
    payload = b"".join(parts)
    rest = _HEAD.pack(0, len(payload), kind)[_CHECKSUM.size :] + payload
    return _CHECKSUM.pack(zlib.crc32(rest)) + rest


def records(content: memoryview) -> Iterator[tuple[Kind, memoryview]]:
    """Kind and payload of each record. Raises `DamagedError` at the first that is damaged or cut short."""
    position = 0
    while position < len(content):
        start = position + _HEAD.size
        if start > len(content):
            raise DamagedError(position, "a record is cut short")
        checksum, length, kind = _HEAD.unpack_from(content, position)
        end = start + length
        if end > len(content):
            raise DamagedError(position, "a record is cut short")
        if zlib.crc32(content[position + _CHECKSUM.size : end]) != checksum:
            raise DamagedError(position, "a record does not match its checksum")
        if kind not in _KINDS:
            raise DamagedError(position, f"a record of a later version (kind {kind})")
        yield Kind(kind), content[start:end]
        position = end


def write_series(ids: CodeArray, labels: Sequence[Labels]) -> bytes:
    text = json.dumps(labels, separators=(",", ":")).encode()
    return record(Kind.SERIES, _COUNT.pack(len(ids)), ids.tobytes(), text)


def read_series(payload: memoryview) -> tuple[CodeArray, list[Labels]]:
    (count,) = _COUNT.unpack_from(payload)
    ids = np.frombuffer(payload, dtype=np.int32, count=count, offset=_COUNT.size)
    texts = json.loads(bytes(payload[_COUNT.size + ids.nbytes :]))
    return ids, [tuple((name, value) for name, value in labels) for labels in texts]


def write_columns(slot: int, ids: CodeArray) -> bytes:
    return record(Kind.COLUMNS, _COUNT.pack(slot), ids.tobytes())


def read_columns(payload: memoryview) -> tuple[int, CodeArray]:
    return _COUNT.unpack_from(payload)[0], np.frombuffer(payload, dtype=np.int32, offset=_COUNT.size)


def write_row(slot: int, time_ms: int, cells: BitsArray, before: BitsArray) -> bytes:
    changed = cells != before
    return record(
        Kind.ROW, _ROW.pack(slot, time_ms), np.packbits(changed).tobytes(), cells[changed].tobytes()
    )


def read_row_head(payload: memoryview) -> tuple[int, int]:
    """Slot and time of a row."""
    slot, time_ms = _ROW.unpack_from(payload)
    return slot, time_ms


def read_row(payload: memoryview, cells: BitsArray) -> None:
    """Bring the cells of the row before up to date."""
    bits = np.frombuffer(payload, dtype=np.uint8, count=-(-len(cells) // 8), offset=_ROW.size)
    changed = np.unpackbits(bits, count=len(cells)).view(np.bool_)
    cells[changed] = np.frombuffer(payload[_ROW.size + len(bits) :], dtype=np.uint64)


def write_histogram(series_id: int, time_ms: int, histogram: FloatHistogram) -> bytes:
    positive, negative = histogram.positive, histogram.negative
    head = _HISTOGRAM.pack(
        series_id,
        time_ms,
        histogram.schema,
        _HINTS.index(histogram.counter_reset_hint),
        len(positive),
        len(negative),
        len(histogram.custom_values),
        histogram.count,
        histogram.sum,
        histogram.zero_threshold,
        histogram.zero_count,
    )
    sides = [array.tobytes() for side in (positive, negative) for array in (side.indexes, side.counts)]
    return record(Kind.HISTOGRAM, head, *sides, np.array(histogram.custom_values).tobytes())


def read_histogram(payload: memoryview) -> tuple[int, int, FloatHistogram]:
    """Series id, time, histogram."""
    series_id, time_ms, schema, hint, positive, negative, custom, *numbers = _HISTOGRAM.unpack_from(payload)
    words = np.frombuffer(payload, dtype=np.int64, offset=_HISTOGRAM.size)
    lengths = (positive, positive, negative, negative, custom)
    parts = np.split(words, np.cumsum(lengths)[:-1])
    count, sum_, zero_threshold, zero_count = numbers
    return (
        series_id,
        time_ms,
        FloatHistogram(
            schema=schema,
            count=count,
            sum=sum_,
            zero_threshold=zero_threshold,
            zero_count=zero_count,
            positive=Buckets(parts[0].copy(), parts[1].copy().view(np.float64)),
            negative=Buckets(parts[2].copy(), parts[3].copy().view(np.float64)),
            custom_values=tuple(parts[4].copy().view(np.float64).tolist()),
            counter_reset_hint=_HINTS[hint],
        ),
    )


def write_starts(series_id: int, times_ms: IntArray, starts_ms: IntArray) -> bytes:
    return record(
        Kind.STARTS, _STARTS.pack(series_id, len(times_ms)), times_ms.tobytes(), starts_ms.tobytes()
    )


def write_table(table: LabelTable) -> bytes:
    return record(Kind.TABLE, pack(table))


def read_table(payload: memoryview) -> LabelTable:
    return LabelTable(*unpack(payload))


def write_ring(ring: HeldRing) -> bytes:
    return record(Kind.RING, pack(describe_ring(ring)))


def read_ring(payload: memoryview, ids: IntArray) -> HeldRing:
    """The ring, its series as `ids[position]`."""
    return ring_of(unpack(payload), ids)


def read_starts(payload: memoryview) -> tuple[int, list[int], list[int]]:
    """Series id, times, start times."""
    series_id, count = _STARTS.unpack_from(payload)
    numbers = np.frombuffer(payload, dtype=np.int64, offset=_STARTS.size).tolist()
    return series_id, numbers[:count], numbers[count:]


_KINDS: Final = frozenset(Kind)
