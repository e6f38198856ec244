"""Classic histograms as native ones with custom buckets: `convert_classic_histograms_to_nhcb`.

Upstream: util/convertnhcb and model/textparse/nhcbparse.go. Works on what any memory of a body tells. A
histogram whose buckets contradict each other gives no sample.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from collector.exposition.changes import NO_TIMESTAMP
from collector.exposition.memory import HistogramSample, Memory, Repeat, Update
from collector.exposition.model import Metadata, MetricType
from collector.exposition.numbers import parse_value
from tsdb import METRIC_NAME, Labels, labels_from
from tsdb.histogram import CUSTOM_BUCKETS, Buckets, CounterReset, FloatHistogram
from tsdb.sample import FloatArray, IntArray

_CONVERTED: Final = (MetricType.HISTOGRAM, MetricType.GAUGE_HISTOGRAM)
_SUFFIXES: Final = ("_bucket", "_sum", "_count")
_NO_POSITION: Final = -1


@dataclass
class _Group:
    """The series of one classic histogram, as positions in an update's samples."""

    labels: Labels
    hint: CounterReset
    slot: int = _NO_POSITION
    bounds: dict[float, int] = field(default_factory=dict)
    sum: int = _NO_POSITION
    count: int = _NO_POSITION

    def histogram(self, values: FloatArray) -> FloatHistogram | None:
        """The value, or None where it makes no sense."""
        bounds = sorted(self.bounds)
        counts = values[[self.bounds[bound] for bound in bounds]].tolist()
        total = float(values[self.count]) if self.count >= 0 else counts[-1]
        if bounds[-1] != math.inf:
            bounds.append(math.inf)
            counts.append(total)
        parts = np.diff(counts, prepend=0.0)
        if counts[-1] != total or not (parts >= 0).all():
            return None
        return FloatHistogram(
            schema=CUSTOM_BUCKETS,
            count=total,
            sum=float(values[self.sum]) if self.sum >= 0 else 0.0,
            positive=Buckets.dense(0, parts),
            custom_values=tuple(bounds[:-1]),
            counter_reset_hint=self.hint,
        ).compact()


class CustomBucketMemory:
    """A memory around another one.

    Series of the inner memory keep their slots, doubled; the slot of a histogram is that of its first series,
    doubled, and one more.
    """

    def __init__(self, inner: Memory, *, keep_classic: bool) -> None:
        self._inner = inner
        self._keep_classic = keep_classic
        self._labels: dict[int, Labels] = {}
        self._types: dict[str, MetricType] = {}
        self._groups: list[_Group] = []
        self._told: dict[int, Labels] = {}
        self._kept = np.empty(0, np.int64)
        self._slots = np.empty(0, np.int64)

    def update(self, body: bytes) -> Update:
        """As the inner memory's, histograms converted."""
        update = self._inner.update(body)
        if update.metadata is not None:
            self._types = _types(update.metadata)
        for slot in update.vanished.tolist():
            self._labels.pop(slot, None)
        self._labels.update(update.added)
        self._lay_out(update)
        told = {2 * slot: self._labels[slot] for slot in update.slots[self._kept].tolist()}
        told |= {2 * sample.slot: self._labels[sample.slot] for sample in update.histograms}
        told |= {group.slot: group.labels for group in self._groups}
        before, self._told = self._told, told
        renamed = {slot for slot, labels in told.items() if slot in before and before[slot] != labels}
        return Update(
            slots=self._slots,
            values=update.values[self._kept],
            timestamps_ms=None if update.timestamps_ms is None else update.timestamps_ms[self._kept],
            added={slot: labels for slot, labels in told.items() if slot not in before or slot in renamed},
            vanished=np.array([slot for slot in before if slot not in told], np.int64),
            repeats=list(self._repeats(update.repeats)),
            metadata=update.metadata,
            histograms=(*self._native(update.histograms), *self._converted(update)),
        )

    def _lay_out(self, update: Update) -> None:
        """Find the histograms, and which samples remain."""
        native = {self._labels[sample.slot] for sample in update.histograms}
        groups: dict[Labels, _Group] = {}
        members: list[tuple[Labels, int]] = []
        for position, slot in enumerate(update.slots.tolist()):
            found = self._place(slot, position, groups)
            if found is not None:
                members.append((found, position))
        converted = {base for base, group in groups.items() if group.bounds and group.labels not in native}
        self._groups = [groups[base] for base in groups if base in converted]
        dropped = [position for base, position in members if base in converted and not self._keep_classic]
        self._kept = np.setdiff1d(np.arange(len(update.slots)), dropped, assume_unique=True)
        slots: IntArray = update.slots[self._kept] * 2
        if not np.array_equal(slots, self._slots):
            self._slots = slots

    def _place(self, slot: int, position: int, groups: dict[Labels, _Group]) -> Labels | None:
        """Put a series into the group it belongs to, if to any; the group's labels."""
        labels = dict(self._labels[slot])
        name = labels[METRIC_NAME]
        suffix = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")
        family = name.removesuffix(suffix)
        kind = self._types.get(family)
        if not suffix or kind is None:
            return None
        bound = _bound(labels.pop("le", "")) if suffix == "_bucket" else math.nan
        if suffix == "_bucket" and math.isnan(bound):
            return None
        base = labels_from({**labels, METRIC_NAME: family})
        hint = CounterReset.GAUGE if kind is MetricType.GAUGE_HISTOGRAM else CounterReset.UNKNOWN
        group = groups.setdefault(base, _Group(base, hint))
        if group.slot == _NO_POSITION:
            group.slot = 2 * slot + 1
        if suffix == "_bucket":
            group.bounds.setdefault(bound, position)
        elif suffix == "_sum":
            group.sum = position
        else:
            group.count = position
        return base

    def _converted(self, update: Update) -> Iterator[HistogramSample]:
        for group in self._groups:
            histogram = group.histogram(update.values)
            if histogram is None:
                continue
            times_ms = update.timestamps_ms
            position = next(iter(group.bounds.values()))
            known = times_ms is not None and times_ms[position] != NO_TIMESTAMP
            timestamp_ms = int(times_ms[position]) if times_ms is not None and known else None
            yield HistogramSample(group.slot, histogram, timestamp_ms)

    def _native(self, samples: Iterable[HistogramSample]) -> Iterator[HistogramSample]:
        for sample in samples:
            yield HistogramSample(2 * sample.slot, sample.histogram, sample.timestamp_ms)

    def _repeats(self, repeats: Iterable[Repeat]) -> Iterator[Repeat]:
        for repeat in repeats:
            if 2 * repeat.slot in self._told:
                yield Repeat(2 * repeat.slot, repeat.value, repeat.timestamp_ms)


def _types(metadata: Mapping[str, Metadata]) -> dict[str, MetricType]:
    return {family: known.type for family, known in metadata.items() if known.type in _CONVERTED}


def _bound(text: str) -> float:
    """NaN where it is no number."""
    try:
        return parse_value(text.encode())
    except ValueError:
        return math.nan
