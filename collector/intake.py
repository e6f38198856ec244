"""From a target's bodies to rows in the store: labels, limits, staleness. No I/O; time is a parameter.

Upstream: scrapeLoopAppender.append, mutateSampleLabels, updateStaleMarkers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
import numpy as np

from collector.config import ScrapeConfig
from collector.errors import CollectorError, SampleLimitError
from collector.exposition import (
    NO_TIMESTAMP,
    OPENMETRICS,
    TEXT,
    Binary,
    BodyFormat,
    HistogramSample,
    LineMemory,
    Memory,
    Metadata,
    Repeat,
    Update,
    format_of,
)
from collector.histogram_rules import HistogramRules
from collector.series import SeriesRules
from collector.target import Target
from tsdb import METRIC_NAME, NO_ROOM, STALE, Appended, Labels, Outcome, Store, labels_from
from tsdb.histogram import FloatHistogram
from tsdb.sample import BoolArray, FloatArray, IntArray

MAX_AHEAD_MS: Final = 600_000
"""A sample further ahead of the clock is out of bounds."""

REPORT_NAMES: Final = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
EXTRA_REPORT_NAMES: Final = ("scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes")

_FALLBACKS: Final[dict[str, BodyFormat]] = {
    "PrometheusProto": Binary.PROTOBUF,
    "PrometheusText0.0.4": TEXT,
    "PrometheusText1.0.0": TEXT,
    "OpenMetricsText0.0.1": OPENMETRICS,
    "OpenMetricsText1.0.0": OPENMETRICS,
}
_DROPPED: Final = -1
_NO_IDS: Final[IntArray] = np.empty(0, dtype=np.int64)
_NO_VALUES: Final[FloatArray] = np.empty(0)


class Batch(NamedTuple):
    """What a scrape brought, ready to be stored. A failed one has no samples, and says why in `error`.

    `series_refused` are those that the store has no room for; they are not among the samples.

    `timestamps_ms` is None where all samples have the scrape's time, else NO_TIMESTAMP stands for that.
    """

    series_ids: IntArray = _NO_IDS
    values: FloatArray = _NO_VALUES
    timestamps_ms: IntArray | None = None
    scraped: int = 0
    kept: int = 0
    series_added: int = 0
    series_refused: int = 0
    duplicates: int = 0
    body_bytes: int = 0
    histograms: tuple[tuple[int, FloatHistogram, int | None], ...] = ()
    """Series id, value, and the sample's own time, if it has one."""
    error: CollectorError | None = None


@dataclass(frozen=True)
class Refused:
    """How many samples of a scrape the store did not take."""

    out_of_order: int = 0
    duplicate: int = 0
    out_of_bounds: int = 0

    def __add__(self, other: "Refused") -> "Refused":
        return Refused(
            self.out_of_order + other.out_of_order,
            self.duplicate + other.duplicate,
            self.out_of_bounds + other.out_of_bounds,
        )


NOTHING_REFUSED: Final = Refused()


class Intake:
    """One target's way into the store. `read` a body, then `commit` what it brought, once for each scrape.

    Invariant: `_ids[slot]` is the series id of a slot of the line memory, or _DROPPED, or NO_ROOM for those
    in `_refused`, which are tried again when the store has room; the slots in `_unresolved` have none yet.
    All ids are valid in the store's `_epoch`. `_alive` are the series that get a stale marker when they do
    not come again.
    """

    def __init__(self, store: Store, job: ScrapeConfig, target: Target) -> None:
        self._store = store
        if target.histogram_settings:
            job = msgspec.structs.replace(job, **target.histogram_settings)
        self._job = job
        self._rules = SeriesRules.of(job, target.labels)
        self._timeout_ms = target.timeout_ms
        names = REPORT_NAMES + (EXTRA_REPORT_NAMES if job.extra_scrape_metrics else ())
        self._report_labels = [_report_labels(name, target.labels) for name in names]
        self._report_ids = store.series_ids(self._report_labels, is_vital=True)
        self._epoch = store.epoch
        self._is_apart = False
        self._histogram_rules = HistogramRules.of(job)
        self._format: BodyFormat = TEXT
        self._memory = _new_memory(TEXT, job)
        self._ids = _NO_IDS
        self._unresolved: dict[int, Labels] = {}
        self._refused: dict[int, Labels] = {}
        self._slots: IntArray = _NO_IDS
        self._kept: IntArray | None = None
        self._kept_ids = _NO_IDS
        self._alive = _NO_IDS
        self._row = _NO_IDS, _NO_IDS, _NO_IDS  # of the store's last row: scraped ids, report ids, both
        self.metadata: dict[str, Metadata] = {}

    def read(self, body: bytes, content_type: str) -> Batch:
        """What a body brings. One that can't be used comes back as a failed batch."""
        if not body:
            return Batch()
        self._give_up_reclaimed()
        try:
            update = self._parse(body, content_type)
        except CollectorError as error:
            return Batch(error=error, body_bytes=len(body))
        scraped = len(update.slots) + len(update.histograms) + len(update.repeats)
        try:
            return self._batch(update, scraped, self._resolve(update), len(body))
        except CollectorError as error:
            return Batch(error=error, scraped=scraped, body_bytes=len(body))

    def commit(self, batch: Batch, timestamp_ms: int, duration_seconds: float) -> Refused:
        """Store the batch, the report, and stale markers for what was there before and is not now.

        Requires: the batch was read since the store's last `expire`.
        """
        self._give_up_reclaimed()
        ids, values, refused = batch.series_ids, batch.values, NOTHING_REFUSED
        alive = ids
        if batch.timestamps_ms is not None:
            own_time = batch.timestamps_ms != NO_TIMESTAMP
            refused = self._append_timed(ids, values, batch.timestamps_ms, own_time, timestamp_ms)
            ids, values = ids[~own_time], values[~own_time]
            alive = alive if self._job.track_timestamps_staleness else ids
        if batch.histograms:
            refused += self._append_histograms(batch, timestamp_ms)
            ends = [
                series_id
                for series_id, _, time_ms in batch.histograms
                if time_ms is None or self._job.track_timestamps_staleness
            ]
            alive = np.concatenate((alive, np.array(ends, dtype=np.int64)))
        # The ids are the same array as long as nothing but values changes.
        stale = _NO_IDS if alive is self._alive else self._alive[~np.isin(self._alive, alive)]
        self._alive = alive
        if not self._is_apart:
            self._store.set_apart(self._report_ids)  # targets scraped at the same time end at different ones
            self._is_apart = True
        report = self._report(batch, duration_seconds)
        row_ids, row = self._with_report_ids(ids), [values, np.array(report)]
        if len(stale):
            row_ids = np.concatenate((row_ids, stale))
            row.append(np.full(len(stale), STALE))
        appended = self._store.append(row_ids, timestamp_ms, np.concatenate(row))
        if appended.outcomes is None and not batch.duplicates:
            return refused
        return refused + _refused(appended, len(ids)) + Refused(duplicate=batch.duplicates)

    def _with_report_ids(self, ids: IntArray) -> IntArray:
        """The same array for the same one, by which the store knows it again."""
        own, report, row_ids = self._row
        if own is not ids or report is not self._report_ids:
            row_ids = np.concatenate((ids, self._report_ids))
            row_ids.flags.writeable = False
            self._row = ids, self._report_ids, row_ids
        return row_ids

    def end(self, timestamp_ms: int) -> None:
        """Mark all series stale, but for those with newer samples: their target has come back."""
        self._give_up_reclaimed()
        gone = np.concatenate((self._alive, self._report_ids))
        self._store.append(gone, timestamp_ms, np.full(len(gone), STALE))
        self._alive = _NO_IDS

    def _give_up_reclaimed(self) -> None:
        """Let go of series ids that the store has reclaimed; lines they stood for are read anew."""
        since, self._epoch = self._epoch, self._store.epoch
        if since == self._epoch:
            return
        self._report_ids = self._store.series_ids(self._report_labels, is_vital=True)
        self._is_apart = False
        self._alive = self._alive[~self._store.reclaimed(self._alive, since)]
        if self._store.reclaimed(self._ids[self._ids >= 0], since).any():
            self._forget_lines()

    def _forget_lines(self) -> None:
        self._memory = _new_memory(self._format, self._job)
        self._ids = _NO_IDS
        self._unresolved = {}
        self._refused = {}

    def _parse(self, body: bytes, content_type: str) -> Update:
        form = format_of(content_type, _FALLBACKS.get(self._job.fallback_scrape_protocol))
        if form is not self._format:
            self._format = form
            self._forget_lines()
        update = self._memory.update(body)
        if update.metadata is not None:
            self.metadata = dict(update.metadata)
        return update

    def _resolve(self, update: Update) -> set[int]:
        """Give new slots their series ids; the slots that were new and are kept. Raises `CollectorError`."""
        if not (len(update.vanished) or update.added or self._unresolved or self._refused):
            return set()
        for slot in update.vanished.tolist():
            self._unresolved.pop(slot, None)
            self._refused.pop(slot, None)
        self._ids[update.vanished[update.vanished < len(self._ids)]] = _DROPPED
        self._unresolved.update(update.added)
        if self._refused and not self._store.is_full:
            self._unresolved.update(self._refused)
            self._refused = {}
        if not self._unresolved:
            return set()
        top = max(self._unresolved) + 1
        if top > len(self._ids):
            grown = np.full(max(top, 2 * len(self._ids)), _DROPPED)
            grown[: len(self._ids)] = self._ids
            self._ids = grown
        kept: list[int] = []
        ids = self._store.series_ids(self._final_labels(kept))
        self._ids[list(self._unresolved)] = _DROPPED
        self._ids[kept] = ids
        for at in np.flatnonzero(ids == NO_ROOM).tolist():
            self._refused[kept[at]] = self._unresolved[kept[at]]
        self._unresolved = {}
        self._slots = _NO_IDS
        return set(kept) - self._refused.keys()

    def _final_labels(self, kept: list[int]) -> Iterator[Labels]:
        """What is stored of unresolved slots, one at a time: all at once would take 5 MB for 10,000 series.

        Notes the slots in `kept`. Raises `CollectorError`.
        """
        for slot, exposed in self._unresolved.items():
            labels = self._rules.apply(exposed)
            if labels is not None:
                self._rules.check(labels)
                kept.append(slot)
                yield labels

    def _batch(self, update: Update, scraped: int, added: set[int], body_bytes: int) -> Batch:
        if update.slots is not self._slots:
            self._lay_out(update.slots)
        values = update.values
        timestamps_ms = update.timestamps_ms if self._job.honor_timestamps else None
        if self._kept is not None:
            values = values[self._kept]
            timestamps_ms = None if timestamps_ms is None else timestamps_ms[self._kept]
        batch = Batch(
            self._kept_ids,
            values,
            timestamps_ms,
            scraped=scraped,
            kept=len(values),
            series_added=len(added),
            series_refused=len(self._refused),
            body_bytes=body_bytes,
        )
        if update.histograms:
            batch = self._with_histograms(batch, update.histograms)
        if update.repeats:
            batch = self._with_repeats(batch, update.repeats)
        limit = self._job.sample_limit
        if limit and batch.kept - batch.duplicates > limit:
            within = len(added.intersection(self._kept_slots()[:limit].tolist())) if added else 0
            return Batch(
                error=SampleLimitError(),
                scraped=scraped,
                kept=batch.kept,
                series_added=within,
                body_bytes=body_bytes,
            )
        return batch

    def _with_repeats(self, batch: Batch, repeats: Sequence[Repeat]) -> Batch:
        """A series may come more than once if each sample but the first has a time of its own."""
        kept = [repeat for repeat in repeats if self._ids[repeat.slot] >= 0]
        if batch.timestamps_ms is None:
            return batch._replace(kept=batch.kept + len(kept), duplicates=len(kept))
        timed = [(self._ids[r.slot], r.value, r.timestamp_ms) for r in kept if r.timestamp_ms is not None]
        if timed:
            ids, values, timestamps_ms = zip(*timed, strict=True)
            batch = batch._replace(
                series_ids=np.concatenate((batch.series_ids, np.array(ids, dtype=np.int64))),
                values=np.concatenate((batch.values, np.array(values))),
                timestamps_ms=np.concatenate((batch.timestamps_ms, np.array(timestamps_ms, dtype=np.int64))),
            )
        return batch._replace(kept=batch.kept + len(kept), duplicates=len(kept) - len(timed))

    def _with_histograms(self, batch: Batch, samples: Sequence[HistogramSample]) -> Batch:
        """Raises `BucketLimitError`."""
        kept = [sample for sample in samples if self._ids[sample.slot] >= 0]
        histograms = tuple(
            (
                int(self._ids[sample.slot]),
                self._histogram_rules.apply(sample.histogram),
                sample.timestamp_ms if self._job.honor_timestamps else None,
            )
            for sample in kept
        )
        return batch._replace(histograms=histograms, kept=batch.kept + len(histograms))

    def _lay_out(self, slots: IntArray) -> None:
        ids = self._ids[slots]
        kept = np.flatnonzero(ids >= 0)
        everything = len(kept) == len(ids)
        self._slots = slots
        self._kept = None if everything else kept
        self._kept_ids = ids if everything else ids[kept]

    def _kept_slots(self) -> IntArray:
        return self._slots if self._kept is None else self._slots[self._kept]

    def _append_timed(
        self, ids: IntArray, values: FloatArray, timestamps_ms: IntArray, own_time: BoolArray, now_ms: int
    ) -> Refused:
        """Store the samples with times of their own, in the order of the lines."""
        too_far = own_time & (timestamps_ms > now_ms + MAX_AHEAD_MS)
        stored = own_time & ~too_far
        appended = self._store.append(ids[stored], timestamps_ms[stored], values[stored])
        return _refused(appended, int(stored.sum())) + Refused(out_of_bounds=int(too_far.sum()))

    def _append_histograms(self, batch: Batch, now_ms: int) -> Refused:
        refused = Refused()
        for series_id, histogram, own_time_ms in batch.histograms:
            timestamp_ms = now_ms if own_time_ms is None else own_time_ms
            if timestamp_ms > now_ms + MAX_AHEAD_MS:
                refused += Refused(out_of_bounds=1)
            else:
                refused += _refused(self._store.append_histograms(series_id, [timestamp_ms], [histogram]), 1)
        return refused

    def _report(self, batch: Batch, duration_seconds: float) -> Sequence[float]:
        report = [float(batch.error is None), duration_seconds, batch.scraped, batch.kept, batch.series_added]
        if len(self._report_ids) > len(report):
            report += [self._timeout_ms / 1000, self._job.sample_limit, batch.body_bytes]
        return report


def _new_memory(form: BodyFormat, job: ScrapeConfig) -> Memory:
    keep_classic = bool(job.always_scrape_classic_histograms)
    memory: Memory
    if isinstance(form, Binary):
        from collector.exposition.protobuf_memory import ProtobufMemory  # noqa: PLC0415  few targets need it

        memory = ProtobufMemory(native=bool(job.scrape_native_histograms), with_classic=keep_classic)
    else:
        memory = LineMemory(form)
    if not job.convert_classic_histograms_to_nhcb:
        return memory
    from collector.exposition.custom_buckets import CustomBucketMemory  # noqa: PLC0415  as above

    return CustomBucketMemory(memory, keep_classic=keep_classic)


def _report_labels(name: str, target_labels: Labels) -> Labels:
    return labels_from({**dict(target_labels), METRIC_NAME: name})


def _refused(appended: Appended, count: int) -> Refused:
    """What was refused of the first `count` samples: reports and stale markers may come late without harm."""
    if appended.outcomes is None:
        return NOTHING_REFUSED
    outcomes = appended.outcomes[:count]
    return Refused(
        out_of_order=int((outcomes == Outcome.OUT_OF_ORDER).sum()),
        duplicate=int((outcomes == Outcome.DUPLICATE).sum()),
        out_of_bounds=int((outcomes == Outcome.TOO_OLD).sum()),
    )
