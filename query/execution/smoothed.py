"""Smoothed instant selectors: values between two samples (upstream promql/engine.go: smoothSeries)."""

import numpy as np

from query.execution.building import VectorBuilder
from query.execution.context import EvalContext
from query.execution.errors import UnsupportedError
from query.execution.ranges import stored_blocks
from query.execution.selectors import reference_ms
from query.execution.values import Vector
from query.kernels.extended import interpolated
from query.plan.nodes import InstantSelect


def select_smoothed(node: InstantSelect, context: EvalContext) -> Vector:
    """The line between the samples before and after each step, within the lookback to either side.

    Without a later sample the earlier one holds on; without an earlier one there is nothing.
    """
    reference = reference_ms(node, context)
    lookback_ms = context.options.lookback_ms
    selection = context.snapshot.select(
        node.matchers, int(reference[0]) - lookback_ms + 1, int(reference[-1]) + lookback_ms
    )
    if selection.histograms:
        raise UnsupportedError("native histograms in a selector that is smoothed are not supported")
    builder = VectorBuilder(selection.labels, context)
    for block in stored_blocks(selection):
        context.check()
        times_ms = block.timestamps_ms
        before = np.searchsorted(times_ms, reference, side="right") - 1
        present = (before >= 0) & (times_ms[before] > reference - lookback_ms)
        after = np.minimum(before + 1, len(times_ms) - 1)
        followed = (times_ms[after] > reference) & (times_ms[after] <= reference + lookback_ms)
        context.budget.looked_at(int(np.count_nonzero(present)) * len(block.series))
        values = block.values[before]
        steps = np.flatnonzero(present & followed & (times_ms[before] < reference))
        values[steps] = interpolated(times_ms, block.values, before[steps], reference[steps])
        builder.add(block.series, values, present[:, None])
    return builder.build()
