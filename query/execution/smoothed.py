"""Smoothed instant selectors: values between two samples (upstream promql/engine.go: smoothSeries)."""

import numpy as np

from query.execution.building import VectorBuilder
from query.execution.context import EvalContext
from query.execution.extended_windows import Timed, interpolated_histogram
from query.execution.ranges import stored_blocks
from query.execution.selectors import reference_ms
from query.execution.single_windows import Remarks
from query.execution.values import Vector
from query.kernels.extended import interpolated
from query.plan.nodes import InstantSelect
from tsdb import METRIC_NAME, Selection
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.sample import IntArray


def select_smoothed(node: InstantSelect, context: EvalContext) -> Vector:
    """The line between the samples before and after each step, within the lookback to either side.

    Without a later sample the earlier one holds on; without an earlier one there is nothing.
    """
    reference = reference_ms(node, context)
    lookback_ms = context.options.lookback_ms
    selection = context.snapshot.select(
        node.matchers, int(reference[0]) - lookback_ms + 1, int(reference[-1]) + lookback_ms
    )
    builder = VectorBuilder(selection.labels, context)
    for block in stored_blocks(selection):
        context.check()
        times_ms = block.timestamps_ms
        before = np.searchsorted(times_ms, reference, side="right") - 1
        present = (before >= 0) & (times_ms[before] > reference - lookback_ms)
        after = np.minimum(before + 1, len(times_ms) - 1)
        followed = (times_ms[after] > reference) & (times_ms[after] <= reference + lookback_ms)
        context.looked_at(present * len(block.series))
        values = block.values[before]
        steps = np.flatnonzero(present & followed & (times_ms[before] < reference))
        values[steps] = interpolated(times_ms, block.values, before[steps], reference[steps])
        builder.add(block.series, values, present[:, None])
    if selection.histograms:
        _overlay_histograms(node, selection, reference, builder, context)
    return builder.build()


def _overlay_histograms(
    node: InstantSelect,
    selection: Selection,
    reference: IntArray,
    builder: VectorBuilder,
    context: EvalContext,
) -> None:
    names = selection.labels.values(METRIC_NAME)
    lookback_ms = context.options.lookback_ms
    float_times = {
        int(series): block.timestamps_ms for block in stored_blocks(selection) for series in block.series
    }
    for each in selection.histograms:
        remarks = Remarks(context.annotations, names[each.position], node.source.span)
        floats = float_times.get(each.position, reference[:0])
        results = np.full(len(reference), None, dtype=object)
        where = np.zeros(len(reference), dtype=np.bool_)
        for step, time_ms in enumerate(reference.tolist()):
            bounds = (time_ms - lookback_ms, time_ms + lookback_ms)
            first, stop = np.searchsorted(each.timestamps_ms, bounds, side="right")
            where[step] = stop > first
            if stop > first and np.diff(np.searchsorted(floats, bounds, side="right"))[0]:
                remarks.mixed()
            elif stop > first:
                times = each.timestamps_ms[first:stop].tolist()
                samples = list(zip(times, each.histograms[first:stop], strict=True))
                results[step] = _histogram_at(samples, time_ms, remarks)
        present = np.array([result is not None for result in results], dtype=np.bool_)
        builder.overlay(each.position, where, present, np.zeros(len(reference)), results)


def _histogram_at(samples: list[Timed], time_ms: int, remarks: Remarks) -> FloatHistogram | None:
    before = [sample for sample in samples if sample[0] <= time_ms][-1:]
    after = [sample for sample in samples if sample[0] > time_ms][:1]
    if not before:
        return None
    if before[0][0] == time_ms:
        return before[0][1]
    if not after:
        # What the hint tells of holds between neighbours, not here.
        return before[0][1].with_hint(CounterReset.UNKNOWN)
    if before[0][1].uses_custom_buckets != after[0][1].uses_custom_buckets:
        remarks.mixed_layouts()
        return None
    are_gauges = all(each.counter_reset_hint is CounterReset.GAUGE for _, each in (*before, *after))
    return interpolated_histogram(before[0], after[0], time_ms, remarks, is_counter=not are_gauges)
