"""Instant selectors: the newest sample within the lookback (upstream engine.go: vectorSelectorSingle)."""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np

from query.execution.building import VectorBuilder
from query.execution.columns import as_slice
from query.execution.context import EvalContext
from query.execution.histogram_stats import stored_sizes, without_buckets
from query.execution.parallel import in_threads
from query.execution.values import Vector
from query.plan.nodes import InstantSelect, RangeNode
from tsdb import Selection, Slab
from tsdb.sample import NEVER_MS, FloatArray, IntArray, is_absent, is_stale

BLOCK_SAMPLES = 1 << 16
"""Samples in a block of columns: half a megabyte, of which a few fit the second-level cache."""

_CELLS_TOGETHER = 1 << 14
"""Results of small slabs that are found together: a call costs more than what it finds in each."""


def reference_ms(node: InstantSelect | RangeNode, context: EvalContext) -> IntArray:
    """The time that a selector looks back from at each step: int64[step], ascending."""
    if node.at_ms is None:
        return context.steps_ms - node.offset_ms if node.offset_ms else context.steps_ms
    return np.full(context.step_count, node.at_ms - node.offset_ms)


class Shown(Enum):
    """What of the newest sample an instant selector shows: itself, or a time in seconds."""

    SAMPLE = "sample"
    TIMESTAMP = "timestamp"
    START_TIMESTAMP = "start_timestamp"


def select_instant(node: InstantSelect, context: EvalContext, shown: Shown = Shown.SAMPLE) -> Vector:
    """The newest samples, or when they were taken, or when their counts began (0 where that is unknown).

    Histograms stand in their cells whatever is shown.
    """
    reference = reference_ms(node, context)
    oldest = reference - context.options.lookback_ms
    selection = context.snapshot.select(node.matchers, int(oldest[0]) + 1, int(reference[-1]))
    builder = VectorBuilder(selection.labels, context)
    float_times = {each.position: np.full(len(reference), NEVER_MS) for each in selection.histograms}
    together = _together(_pieces(selection.slabs, reference), len(reference))
    for newest in in_threads(_newest_samples, together, samples=stored_samples(selection.slabs)):
        context.check()
        series, times, samples, may_be_stale = newest
        present = times > oldest[:, None]
        if may_be_stale:
            present = present & ~is_stale(samples)
        context.looked_at(np.count_nonzero(present, axis=1) * (samples.shape[1] // present.shape[1]))
        for column in np.flatnonzero(np.isin(series, list(float_times))) if float_times else ():
            float_times[int(series[column])] = times[:, column % times.shape[1]]
        values = samples if shown is Shown.SAMPLE else _seconds(shown, selection, series, times)
        builder.add(series, values, present)
    for stored in selection.histograms:
        each = without_buckets(stored, oldest + 1, reference) if node.skips_buckets else stored
        rows = np.searchsorted(each.timestamps_ms, reference, side="right") - 1
        times = each.timestamps_ms[rows]
        present = (rows >= 0) & (times > oldest) & (times > float_times[each.position])
        histograms = np.empty(len(rows), dtype=object)
        histograms[:] = [each.histograms[row] for row in rows]
        sizes = stored_sizes(each)[rows] if shown is Shown.SAMPLE else 1
        context.looked_at(np.where(present, sizes, 0))
        values = _seconds(shown, selection, np.array([each.position]), times[:, None])[:, 0]
        builder.overlay(each.position, present, present, values, histograms)
    return builder.build()


def stored_samples(slabs: Sequence[Slab]) -> int:
    """About how many there are to be read."""
    return sum(len(slab.timestamps_ms) * len(slab.series) for slab in slabs)


def column_blocks(columns: int, rows: int) -> Iterator[slice]:
    """Slices of a slab's columns, each of about `BLOCK_SAMPLES`."""
    width = max(16, BLOCK_SAMPLES // max(rows, 1))
    for start in range(0, columns, width):
        yield slice(start, min(start + width, columns))


def wide_blocks(columns: int, rows: int) -> Iterator[slice]:
    """Slices of a slab's columns that are read at once: a call takes its time, whatever it reads."""
    width = min(512, max(16, (1 << 18) // max(rows, 1)))
    for start in range(0, columns, width):
        yield slice(start, min(start + width, columns))


def _seconds(shown: Shown, selection: Selection, series: IntArray, times_ms: IntArray) -> FloatArray:
    """float64[step, column] of the times (or start times) of samples at `times_ms[step, 1 or column]`."""
    shape = (len(times_ms), len(series))
    if shown is not Shown.START_TIMESTAMP:
        return np.broadcast_to(times_ms / 1000, shape)
    starts_ms = np.zeros(shape)
    for each in selection.start_timestamps:
        for column in np.flatnonzero(series == each.position):
            wanted = times_ms[:, column % times_ms.shape[1]]
            rows = np.minimum(np.searchsorted(each.timestamps_ms, wanted), len(each.timestamps_ms) - 1)
            known = each.timestamps_ms[rows] == wanted
            starts_ms[known, column] = each.start_timestamps_ms[rows[known]]
    return starts_ms / 1000


class _Piece(NamedTuple):
    """Some columns of a slab; `newest[step]` is the slab's newest row, -1 if there is none yet."""

    slab: Slab
    columns: slice
    newest: IntArray


def _pieces(slabs: Sequence[Slab], reference_ms: IntArray) -> Iterator[_Piece]:
    for slab in slabs:
        newest = slab.timestamps_ms.searchsorted(reference_ms, side="right") - 1
        if newest[-1] >= 0:
            for columns in wide_blocks(len(slab.series), len(slab.timestamps_ms)):
                yield _Piece(slab, columns, newest)


def _together(pieces: Iterable[_Piece], steps: int) -> Iterator[list[_Piece]]:
    """Each piece, and small ones some at a time."""
    some: list[_Piece] = []
    cells = 0
    for piece in pieces:
        size = (piece.columns.stop - piece.columns.start) * steps
        if some and cells + size > _CELLS_TOGETHER:
            yield some
            some, cells = [], 0
        some.append(piece)
        cells += size
    if some:
        yield some


class _Newest(NamedTuple):
    """The newest samples or stale markers of columns: `samples[step, column]`.

    They were taken at `times_ms[step, 1 or column]`, which is NEVER_MS where there is none.
    """

    series: IntArray
    times_ms: IntArray
    samples: FloatArray
    may_be_stale: bool = False


def _newest_samples(pieces: Sequence[_Piece]) -> _Newest:
    """Columns with a sample in each of the newest rows, as nearly all have, need no search."""
    found = _side_by_side([_newest_rows(piece) for piece in pieces])
    if not np.isnan(found.samples).any():
        return found
    return _side_by_side([_searched(piece) for piece in pieces])._replace(may_be_stale=True)


def _newest_rows(piece: _Piece) -> _Newest:
    """What stands in the newest rows, a sample or none."""
    slab, columns, newest = piece
    needed = slice(max(int(newest[0]), 0), int(newest[-1]) + 1)
    times = slab.timestamps_ms[newest][:, None]
    if newest[0] < 0:
        times[newest < 0] = NEVER_MS
    samples = slab.read(columns, needed)[as_slice(np.maximum(newest - needed.start, 0))]
    return _Newest(slab.series[columns], times, samples)


def _searched(piece: _Piece) -> _Newest:
    """The newest samples, also of columns that have none in some of the newest rows."""
    found = _newest_rows(piece)
    gapped = np.flatnonzero(is_absent(found.samples).any(axis=0))
    if not len(gapped):
        return found
    slab, columns, newest = piece
    values = slab.read(columns).take(gapped, axis=1)  # unlike an index, this gives rows in a row
    narrow = np.where(is_absent(values), np.int32(-1), np.arange(len(values), dtype=np.int32)[:, None])
    np.maximum.accumulate(narrow, axis=0, out=narrow)
    rows = narrow[np.maximum(newest, 0)].astype(np.int64)
    rows[newest < 0] = -1
    samples, times = found.samples.copy(), np.repeat(found.times_ms, found.samples.shape[1], axis=1)
    samples[:, gapped] = np.take_along_axis(values, np.maximum(rows, 0), axis=0)
    times[:, gapped] = np.where(rows >= 0, slab.timestamps_ms[rows], NEVER_MS)
    return _Newest(found.series, times, samples)


def _side_by_side(found: Sequence[_Newest]) -> _Newest:
    if len(found) == 1:
        return found[0]
    return _Newest(
        np.concatenate([each.series for each in found]),
        np.concatenate([_for_each_column(each) for each in found], axis=1),
        np.concatenate([each.samples for each in found], axis=1),
    )


def _for_each_column(found: _Newest) -> IntArray:
    """`times_ms[step, column]`."""
    columns = found.samples.shape[1]
    return (
        found.times_ms if found.times_ms.shape[1] == columns else np.repeat(found.times_ms, columns, axis=1)
    )
