"""`LineMemory`: what was learnt from a target's previous body makes the next one cheap.

A line seen before costs a comparison; a line whose series is known costs a float; only a series seen for
the first time is parsed in full. Each series text has a *slot*: a small integer, stable while the series
stays in the body, reused afterwards. What belongs to a series (its id in the store, say) is kept by slot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, compress, count, repeat
from operator import ne
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from collector.exposition.format import Format, LineError
from collector.exposition.lines import line_error, read_lines
from collector.exposition.model import Metadata, MetadataLine, MetricType, SampleLine
from collector.exposition.numbers import parse_values
from collector.exposition.parser import collect_metadata
from tsdb import Labels
from tsdb.sample import FloatArray, IntArray

NO_TIMESTAMP: Final = np.iinfo(np.int64).min
"""Stands in `Update.timestamps_ms` for a sample without a timestamp of its own."""

_NO_SLOT: Final = -1
_NOTHING: Final[IntArray] = np.empty(0, np.int64)

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A sample of a series that an earlier line of the same body has already given."""

    slot: int
    value: float
    timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class Update:
    """What a body says, and how its series differ from those of the body before."""

    slots: IntArray
    """[sample] in the order of the lines; the same object as before if neither series nor order changed."""
    values: FloatArray
    """[sample]"""
    timestamps_ms: IntArray | None
    """[sample], NO_TIMESTAMP where a line has none; None if no line has one."""
    added: list[tuple[int, Labels]]
    """Slots newly taken, with the series' own labels, before any relabelling."""
    vanished: IntArray
    """Slots of series that are no longer there. The next update may give them to others."""
    repeats: list[Repeat]
    """Later samples of a series, not in `values`: duplicates, unless own timestamps tell them apart."""
    metadata: Mapping[str, Metadata] | None
    """By metric family; None if it is what it was."""


class LineMemory:
    """The last body of one target, line by line.

    Invariants: the `_line_*` arrays run parallel to `_lines`; `_slot_of` and `_series` hold the series of
    those lines and no others; an update that raises has changed nothing.

    A series keeps the labels it was first parsed with, as in upstream's scrape cache, even if a later TYPE
    would have its `le` spelt otherwise.
    """

    def __init__(self, form: Format) -> None:
        self._form = form
        self._lines: list[bytes] = []
        self._line_slots = np.empty(0, np.int64)
        self._line_values = np.empty(0, np.float64)
        self._line_timestamps_ms = np.empty(0, np.int64)
        self._sample_lines = np.empty(0, np.int64)  # the first line of each series
        self._repeat_lines = np.empty(0, np.int64)  # the others
        self._slots = np.empty(0, np.int64)  # of _sample_lines
        self._slot_of: dict[bytes, int] = {}
        self._series: list[bytes] = []  # by slot; in a free one stands the series that left it
        self._free_slots: list[int] = []
        self._comments: list[bytes] = []  # lines without a sample
        self._metadata: dict[str, Metadata] = {}

    def update(self, body: bytes) -> Update:
        """Replace the remembered body by this one. An empty body is one without series, whatever the format.

        Raises ExpositionError for a body that is not of the format, and keeps what it remembers.
        """
        if not body:
            return self._replace([])
        return read_lines(body, self._form, self._replace)

    def _replace(self, lines: list[bytes]) -> Update:
        changes = self._read_changes(lines)
        layout_changed = self._write(lines, changes)
        vanished, metadata = self._lay_out() if layout_changed else (_NOTHING, None)
        timestamps_ms = self._line_timestamps_ms[self._sample_lines]
        return Update(
            slots=self._slots,
            values=self._line_values[self._sample_lines],
            timestamps_ms=timestamps_ms if (timestamps_ms != NO_TIMESTAMP).any() else None,
            added=list(zip(changes.added_slots.values(), changes.added_labels, strict=True)),
            vanished=vanished,
            repeats=self._repeats(),
            metadata=metadata,
        )

    def _read_changes(self, lines: list[bytes]) -> "_Changes":
        """The lines that differ from the remembered ones in their places. Changes nothing of `self`."""
        indices = list(compress(range(len(lines)), map(ne, lines, self._lines)))
        indices += range(len(self._lines), len(lines))
        changes = _Changes(indices)
        try:
            unread = self._recall(changes, [lines[index] for index in indices])
        except ValueError:
            changes = _Changes(indices)
            unread = list(range(len(indices)))  # reading them one by one finds the bad one
        if unread:
            self._read_one_by_one(lines, changes, unread)
        return changes

    def _recall(self, changes: "_Changes", lines: list[bytes]) -> list[int]:
        """Read the lines of known series, `series SP value [ SP timestamp ]`; the positions of all others.

        Raises ValueError if what should be a number is none.
        """
        heads, lasts = _split_last(lines)
        others = self._read_known(changes, np.arange(len(lines)), heads, lasts)
        if not others.size:
            return []
        series, values = _split_last([heads[position] for position in others.tolist()])
        timestamps = [lasts[position] for position in others.tolist()]
        rest: list[int] = self._read_known(changes, others, series, values, timestamps).tolist()
        return rest

    def _read_known(
        self,
        changes: "_Changes",
        positions: IntArray,
        series: list[bytes],
        values: list[bytes],
        timestamps: list[bytes] | None = None,
    ) -> IntArray:
        """Of lines taken apart, read those whose series is known; the positions of the others."""
        slots = np.fromiter(map(self._slot_of.get, series, repeat(_NO_SLOT)), np.int64, len(series))
        known = slots != _NO_SLOT
        chosen = known.tolist()
        found = positions[known]
        changes.slots[found] = slots[known]
        changes.values[found] = parse_values(list(compress(values, chosen)))
        if timestamps is not None:
            parse = self._form.parse_timestamp_ms
            changes.timestamps_ms[found] = list(map(parse, compress(timestamps, chosen)))
        others: IntArray = positions[~known]
        return others

    def _read_one_by_one(self, lines: list[bytes], changes: "_Changes", positions: list[int]) -> None:
        comments = set(self._comments)
        free_slots = chain(reversed(self._free_slots), count(len(self._series)))
        types = _TypesInForce(lines, self._form)
        for position in positions:
            index = changes.indices[position]
            line = lines[index]
            if line in comments:
                changes.slots[position] = _NO_SLOT
                continue
            try:
                read = self._form.read_line(line)
                if not isinstance(read, SampleLine):
                    changes.slots[position] = _NO_SLOT
                    continue
                slot = self._slot_of.get(read.series, changes.added_slots.get(read.series))
                if slot is None:
                    changes.added_labels.append(self._form.labels(read.series, types.before(index)))
                    slot = changes.added_slots[read.series] = next(free_slots)
            except LineError as error:
                raise line_error(lines, index, error) from None
            changes.slots[position] = slot
            changes.values[position] = read.value
            if read.timestamp_ms is not None:
                changes.timestamps_ms[position] = read.timestamp_ms

    def _write(self, lines: list[bytes], changes: "_Changes") -> bool:
        """Take over what was read; True unless the same series stand in the same lines, and comments too."""
        size_before = len(self._lines)
        self._lines = lines
        if len(lines) != size_before:
            self._line_slots = _resized(self._line_slots, len(lines))
            self._line_values = _resized(self._line_values, len(lines))
            self._line_timestamps_ms = _resized(self._line_timestamps_ms, len(lines))
        indices = np.array(changes.indices, np.int64)
        slots_before = self._line_slots[indices]
        self._line_slots[indices] = changes.slots
        self._line_values[indices] = changes.values
        self._line_timestamps_ms[indices] = changes.timestamps_ms

        for series, slot in changes.added_slots.items():
            self._slot_of[series] = slot
            if self._free_slots:
                self._series[self._free_slots.pop()] = series
            else:
                self._series.append(series)
        same_slots = len(lines) == size_before and np.array_equal(changes.slots, slots_before)
        return not same_slots or bool((changes.slots == _NO_SLOT).any())

    def _lay_out(self) -> tuple[IntArray, dict[str, Metadata] | None]:
        """Find out which series stand where; the slots that became free, and metadata if they changed."""
        sample_lines = np.flatnonzero(self._line_slots != _NO_SLOT)
        slots, first = np.unique(self._line_slots[sample_lines], return_index=True)
        is_first = np.zeros(len(sample_lines), np.bool_)
        is_first[first] = True
        vanished = np.setdiff1d(self._slots, slots, assume_unique=True)
        self._sample_lines = sample_lines[is_first]
        self._repeat_lines = sample_lines[~is_first]
        if not np.array_equal(self._line_slots[self._sample_lines], self._slots):
            self._slots = self._line_slots[self._sample_lines]
        for slot in vanished.tolist():
            del self._slot_of[self._series[slot]]
            self._free_slots.append(slot)
        return vanished, self._read_comments()

    def _read_comments(self) -> dict[str, Metadata] | None:
        comments = list(compress(self._lines, self._line_slots == _NO_SLOT))
        if comments == self._comments:
            return None
        self._comments = comments
        lines = map(self._form.read_line, comments)
        metadata = collect_metadata(line for line in lines if isinstance(line, MetadataLine))
        if metadata == self._metadata:
            return None
        self._metadata = metadata
        return metadata

    def _repeats(self) -> list[Repeat]:
        lines = self._repeat_lines
        timestamps_ms = self._line_timestamps_ms[lines].tolist()
        return [
            Repeat(slot, value, None if timestamp_ms == NO_TIMESTAMP else timestamp_ms)
            for slot, value, timestamp_ms in zip(
                self._line_slots[lines].tolist(),
                self._line_values[lines].tolist(),
                timestamps_ms,
                strict=True,
            )
        ]


class _Changes:
    """Lines that differ from the body before; the arrays run parallel to `indices` of the lines."""

    def __init__(self, indices: list[int]) -> None:
        self.indices = indices
        self.slots: IntArray = np.full(len(indices), _NO_SLOT, np.int64)
        self.values: FloatArray = np.zeros(len(indices))
        self.timestamps_ms: IntArray = np.full(len(indices), NO_TIMESTAMP, np.int64)
        self.added_slots: dict[bytes, int] = {}
        self.added_labels: list[Labels] = []


class _TypesInForce:
    """The metric type that the nearest TYPE line above gives. To be asked for lines in ascending order."""

    def __init__(self, lines: list[bytes], form: Format) -> None:
        self._lines = lines
        self._form = form
        self._seen = 0
        self._type = MetricType.UNKNOWN

    def before(self, index: int) -> MetricType:
        for line in reversed(self._lines[self._seen : index]):
            if b"TYPE" in line:
                read = self._form.read_line(line)
                if isinstance(read, MetadataLine) and read.field == "type":
                    self._type = MetricType(read.text)
                    break
        self._seen = index
        return self._type


def _split_last(lines: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """What stands before and after the last space of each line."""
    parts = list(chain.from_iterable(map(bytes.rpartition, lines, repeat(b" "))))
    return parts[0::3], parts[2::3]


def _resized(array: NDArray[Scalar], size: int) -> NDArray[Scalar]:
    """A copy with room for `size` elements; the new ones are arbitrary."""
    resized = np.empty(size, array.dtype)
    kept = min(size, len(array))
    resized[:kept] = array[:kept]
    return resized
