"""`LineMemory`: what was learnt from a target's previous body makes the next one cheap.

A line seen before costs a comparison; a line whose series is known costs a float; only a series seen for
the first time is parsed in full. Each series text has a *slot*: a small integer, stable while the series
stays in the body, reused afterwards. What belongs to a series (its id in the store, say) is kept by slot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from collector.exposition.changes import NO_TIMESTAMP, Before, Changes, read_changes
from collector.exposition.format import Format
from collector.exposition.lines import NO_LINES, Lines, read_lines
from collector.exposition.model import Metadata, MetadataLine
from collector.exposition.parser import collect_metadata
from collector.exposition.slots import NO_SLOT, Slots
from tsdb import Labels
from tsdb.histogram import FloatHistogram
from tsdb.sample import FloatArray, IntArray

Scalar = TypeVar("Scalar", bound=np.generic)

_NOTHING: Final[IntArray] = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A sample of a series that an earlier line of the same body has already given."""

    slot: int
    value: float
    timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class HistogramSample:
    """A sample whose value is a native histogram; it has a slot as every series."""

    slot: int
    histogram: FloatHistogram
    timestamp_ms: int | None


class Update(NamedTuple):
    """What a body says, and how its series differ from those of the body before."""

    slots: IntArray
    """[sample] in the order of the lines; the same object as before if neither series nor order changed."""
    values: FloatArray
    """[sample]"""
    timestamps_ms: IntArray | None
    """[sample], NO_TIMESTAMP where a line has none; None if no line has one."""
    added: dict[int, Labels]
    """Slots newly taken, with the series' own labels, before any relabelling."""
    vanished: IntArray
    """Slots of series that are no longer there. The next update may give them to others."""
    repeats: list[Repeat]
    """Later samples of a series, not in `values`: duplicates, unless own timestamps tell them apart."""
    metadata: Mapping[str, Metadata] | None
    """By metric family; None if it is what it was."""
    histograms: tuple[HistogramSample, ...] = ()
    """Their slots are not in `slots`."""


class Memory(Protocol):
    """Knows a target's last body, whatever its format."""

    def update(self, body: bytes) -> Update:
        """Replace the remembered body by this one. Raises `CollectorError`, and keeps what it remembers."""
        ...


class LineMemory:
    """The last body of one target, line by line.

    Invariants: the `_line_*` arrays run parallel to `_lines`; `_known` holds the series of those lines and no
    others; an update that raises has changed nothing.

    A series keeps the labels it was first parsed with, as in upstream's scrape cache, even if a later TYPE
    would have its `le` spelt otherwise.
    """

    def __init__(self, form: Format) -> None:
        self._form = form
        self._known = Slots()
        self._lines = NO_LINES
        self._line_slots = np.empty(0, np.int64)
        self._line_values = np.empty(0, np.float64)
        self._line_heads = np.empty(0, np.int64)  # as `Changes.heads`
        self._line_timestamps_ms = np.empty(0, np.int64)
        self._has_timestamps = False  # whether a line has one
        self._sample_lines = np.empty(0, np.int64)  # the first line of each series
        self._repeat_lines = np.empty(0, np.int64)  # the others
        self._slots = np.empty(0, np.int64)  # of _sample_lines
        self._comments: list[bytes] = []  # lines without a sample
        self._metadata: dict[str, Metadata] = {}

    def update(self, body: bytes) -> Update:
        """Replace the remembered body by this one. An empty body is one without series, whatever the format.

        Raises ExpositionError for a body that is not of the format, and keeps what it remembers.
        """
        if not body:
            return self._replace(NO_LINES)
        return read_lines(body, self._form, self._replace)

    def _replace(self, lines: Lines) -> Update:
        before = Before(self._lines, self._line_heads, self._comments, self._known)
        changes = read_changes(lines, before, self._form)
        same_layout = self._write(lines, changes)
        vanished, metadata = (_NOTHING, None) if same_layout else (self._lay_out(), self._read_comments())
        return Update(
            slots=self._slots,
            values=self._line_values[self._sample_lines],
            timestamps_ms=self._timestamps_ms(),
            added=changes.added,
            vanished=vanished,
            repeats=self._repeats(),
            metadata=metadata,
        )

    def _write(self, lines: Lines, changes: Changes) -> bool:
        """Take over what was read; whether the same series stand in the same lines, and the comments too."""
        size_before = len(self._lines)
        self._lines = lines
        if len(lines) != size_before:
            self._line_slots = _resized(self._line_slots, len(lines))
            self._line_values = _resized(self._line_values, len(lines))
            self._line_heads = _resized(self._line_heads, len(lines))
            self._line_timestamps_ms = _resized(self._line_timestamps_ms, len(lines))
        if changes.new_values:
            valued, values = changes.new_values
            self._line_values[valued] = values
        indices = changes.indices
        if not len(indices):
            return len(lines) == size_before
        slots_before = self._line_slots[indices]
        self._line_slots[indices] = changes.slots
        self._line_values[indices] = changes.values
        self._line_heads[indices] = changes.heads
        self._line_timestamps_ms[indices] = changes.timestamps_ms
        self._has_timestamps = bool((self._line_timestamps_ms != NO_TIMESTAMP).any())
        self._known.take(changes.added_slots)
        same_slots = len(lines) == size_before and np.array_equal(changes.slots, slots_before)
        return same_slots and bool((changes.slots != NO_SLOT).all())

    def _lay_out(self) -> IntArray:
        """Find out which series stand where; the slots that nothing stands in any more."""
        sample_lines = np.flatnonzero(self._line_slots != NO_SLOT)
        present, first = np.unique(self._line_slots[sample_lines], return_index=True)
        is_first = np.zeros(len(sample_lines), np.bool_)
        is_first[first] = True
        self._sample_lines = sample_lines[is_first]
        self._repeat_lines = sample_lines[~is_first]
        slots_before = self._slots
        slots = self._line_slots[self._sample_lines]
        if not np.array_equal(slots, slots_before):
            self._slots = slots
        vanished = np.setdiff1d(slots_before, present, assume_unique=True)
        self._known.release(vanished.tolist())
        return vanished

    def _read_comments(self) -> dict[str, Metadata] | None:
        comments = self._lines.at(np.flatnonzero(self._line_slots == NO_SLOT))
        if comments == self._comments:
            return None
        self._comments = comments
        lines = map(self._form.read_line, comments)
        metadata = collect_metadata(line for line in lines if isinstance(line, MetadataLine))
        if metadata == self._metadata:
            return None
        self._metadata = metadata
        return metadata

    def _timestamps_ms(self) -> IntArray | None:
        """Those of the samples, if there are any."""
        if not self._has_timestamps:
            return None
        timestamps_ms = self._line_timestamps_ms[self._sample_lines]
        return timestamps_ms if (timestamps_ms != NO_TIMESTAMP).any() else None

    def _repeats(self) -> list[Repeat]:
        lines = self._repeat_lines
        if not len(lines):
            return []
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


def _resized(array: NDArray[Scalar], size: int) -> NDArray[Scalar]:
    """A copy with room for `size` elements; the new ones are arbitrary."""
    resized = np.empty(size, array.dtype)
    kept = min(size, len(array))
    resized[:kept] = array[:kept]
    return resized
