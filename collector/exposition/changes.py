"""The lines of a body that differ from those of the body before, and what they say."""

from collections.abc import Sequence
from itertools import chain, compress, repeat
from typing import Final, NamedTuple

import numpy as np

from collector.exposition.format import Format, LineError
from collector.exposition.lines import Lines, line_error
from collector.exposition.model import MetadataLine, MetricType, SampleLine
from collector.exposition.numbers import parse_values
from collector.exposition.slots import NO_SLOT, Slots
from tsdb import Labels
from tsdb.sample import BoolArray, FloatArray, IntArray

NO_TIMESTAMP: Final = np.iinfo(np.int64).min
"""Stands in an array of timestamps for a sample that has none of its own."""


class Changes:
    """What was read of changed lines; its lists and arrays run parallel, but for those of added series.

    The line at a *position* in them stands at an *index* of the body. The lines of `new_values` differ in
    nothing else.
    """

    def __init__(self, lines: Lines, indices: IntArray) -> None:
        self.new_values: tuple[IntArray, FloatArray] | None = None
        self.indices = indices
        self.lines = lines.at(indices)
        self.slots: IntArray = np.full(len(indices), NO_SLOT, np.int64)
        self.values: FloatArray = np.zeros(len(indices))
        self.timestamps_ms: IntArray = np.full(len(indices), NO_TIMESTAMP, np.int64)
        self.heads: IntArray = np.zeros(len(indices), np.int64)
        """How many bytes come before the value, if that ends the line; else 0."""
        self.added_slots: dict[bytes, int] = {}
        self.added: dict[int, Labels] = {}
        self.shared: dict[tuple[str, str], tuple[str, str]] = {}
        """Each pair of label name and value once: most series of a body have most of theirs in common."""


class Before(NamedTuple):
    """What is remembered of the body before."""

    lines: Lines
    heads: IntArray
    """As `Changes.heads`, of all lines."""
    comments: list[bytes]
    """The lines that had no sample."""
    known: Slots


def read_changes(lines: Lines, before: Before, form: Format) -> Changes:
    """Read the lines that differ from the line in their place before. Raises ExpositionError."""
    known = before.known
    valued, differing = lines.differing_from(before.lines, before.heads)
    changes = Changes(lines, differing)
    try:
        if len(valued):
            changes.new_values = valued, parse_values(lines.at(valued, skip=before.heads[valued]))
        unread = _read_known(changes, known, form)
    except ValueError:
        differing = np.sort(np.concatenate((valued, differing)))
        changes = Changes(lines, differing)
        unread = list(range(len(differing)))  # reading them one by one finds the bad one
    if not unread:
        return changes
    remembered = set(before.comments)
    types = _TypesInForce(lines, form)
    for position in unread:
        if changes.lines[position] in remembered:
            continue
        try:
            _read_line(changes, position, known, form, types)
        except LineError as error:
            raise line_error(lines, int(differing[position]), error) from None
    return changes


def _read_known(changes: Changes, known: Slots, form: Format) -> list[int]:
    """Read the lines of known series, `series SP value [ SP timestamp ]`; the positions of all others.

    Raises ValueError if what should be a number is none.
    """
    if not changes.lines:
        return []
    heads, lasts = _split_last(changes.lines)
    slots = known.find(heads)
    is_known = slots != NO_SLOT
    changes.slots[:] = slots
    changes.heads[is_known] = np.fromiter(map(len, heads), np.int64, len(heads))[is_known] + 1
    changes.values[is_known] = parse_values(_chosen(lasts, is_known))
    if is_known.all():
        return []

    others = np.flatnonzero(~is_known)
    timestamps = _chosen(lasts, ~is_known)
    series, values = _split_last(_chosen(heads, ~is_known))
    slots = known.find(series)
    is_known = slots != NO_SLOT
    changes.slots[others] = slots
    changes.values[others[is_known]] = parse_values(_chosen(values, is_known))
    changes.timestamps_ms[others[is_known]] = list(
        map(form.parse_timestamp_ms, _chosen(timestamps, is_known))
    )
    unread: list[int] = others[~is_known].tolist()
    return unread


def _read_line(changes: Changes, position: int, known: Slots, form: Format, types: "_TypesInForce") -> None:
    line = form.read_line(changes.lines[position])
    if not isinstance(line, SampleLine):
        return
    slot = known.get(line.series, changes.added_slots.get(line.series, NO_SLOT))
    if slot == NO_SLOT:
        labels = form.labels(line.series, types.before(int(changes.indices[position])))
        slot = changes.added_slots[line.series] = known.vacant(len(changes.added_slots))
        changes.added[slot] = tuple([changes.shared.setdefault(pair, pair) for pair in labels])
    changes.slots[position] = slot
    changes.values[position] = line.value
    if line.timestamp_ms is not None:
        changes.timestamps_ms[position] = line.timestamp_ms


class _TypesInForce:
    """The metric type that the nearest TYPE line above gives. To be asked for samples, in ascending order."""

    def __init__(self, lines: Lines, form: Format) -> None:
        self._lines = lines
        self._form = form
        self._seen = 0
        self._type = MetricType.UNKNOWN

    def before(self, index: int) -> MetricType:
        for line in reversed(self._lines.between(self._seen, index)) if self._seen < index else ():
            if b"TYPE" in line:
                read = self._form.read_line(line)
                if isinstance(read, MetadataLine) and isinstance(read.value, MetricType):
                    self._type = read.value
                    break
        self._seen = index + 1
        return self._type


def _split_last(lines: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """What stands before and after the last space of each line."""
    parts = list(chain.from_iterable(map(bytes.rpartition, lines, repeat(b" "))))
    return parts[0::3], parts[2::3]


def _chosen(texts: Sequence[bytes], chosen: BoolArray) -> list[bytes]:
    return list(compress(texts, chosen.tolist()))
