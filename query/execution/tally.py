"""What upstream says that a query held and read: `peakSamples` and `samplesRead` of its statistics.

Upstream's evaluator goes step by step and series by series, and counts on its way what it holds
(promql/engine.go: currentSamples). The same numbers follow from the sizes of what each node gives and of the
windows it looks at. They are exact, but for `info`, smoothed instant selectors, and several series with
native histograms.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from query.execution.columns import present_mask
from query.execution.histogram_stats import size_in_samples, stored_sizes
from query.execution.ranges import RangeVector
from query.execution.values import Scalar, String, Value
from query.kernels.ranges import RANGE_KERNELS
from query.plan import nodes
from tsdb.sample import IntArray


@dataclass(frozen=True)
class _Given:
    """What a node gave at its steps: `samples[step]`, and `sizes[step]`, as which histograms count.

    `read[step]` is what was read for that.
    """

    steps_ms: IntArray
    samples: IntArray
    sizes: IntArray
    read: IntArray


@dataclass
class _Frame:
    """A node that is being evaluated; `before` is what was held when it began."""

    before: int
    operands: list[_Given] = field(default_factory=list)
    ranges: RangeVector | None = None


class Tally:
    """Counts along the evaluation of one query."""

    def __init__(self) -> None:
        self.peak = 0
        self._held = 0
        self._frames = [_Frame(0)]

    @property
    def read(self) -> IntArray:
        """int64[step]: what the query has read."""
        operands = self._frames[0].operands
        return operands[0].read if operands else np.zeros(1, dtype=np.int64)

    def enter(self) -> None:
        """A node is about to be evaluated."""
        self._frames.append(_Frame(self._held))

    def look_at(self, ranges: RangeVector) -> None:
        """The node is a function of these ranges."""
        self._frames[-1].ranges = ranges

    def look_at_all(self, samples: int) -> None:
        """The query is a selector of ranges, and this what is in them."""
        self._hold(samples)
        self._read_at_once(samples)

    def end_subquery(self) -> None:
        """The query is a subquery, whose expression is evaluated."""
        self._read_at_once(sum(int(operand.read.sum()) for operand in self._frames[0].operands))

    def _read_at_once(self, samples: int) -> None:
        read = np.array([samples])
        self._frames[0].operands = [_Given(read, read, read, read)]

    def leave(self, node: nodes.PlanNode, value: Value, steps_ms: IntArray, step_ms: int) -> None:
        """The node gave this value at these steps."""
        frame = self._frames.pop()
        if isinstance(value, String):
            return
        given = _Given(steps_ms, *_counted(value, len(steps_ms)), _read_below(node, frame, steps_ms, step_ms))
        match node:
            case nodes.InstantSelect():
                given.read[:] = given.sizes
                self._hold(int(given.sizes.sum()))
            case nodes.Invariant():
                self._hold(int(given.sizes[1:].sum()))
            case nodes.Aggregate() if node.source.op != "count_values":
                self._replace(frame, given)
            case nodes.FunctionCall() if frame.ranges is not None:
                self._count_call(node, frame, frame.ranges, given)
            case nodes.Negation():
                pass
            case nodes.FunctionCall() if node.source.function in ("label_join", "label_replace"):
                pass
            case _:
                self._count_steps(node, frame, given)
        self._frames[-1].operands.append(given)

    def _count_steps(self, node: nodes.PlanNode, frame: _Frame, given: _Given) -> None:
        """Upstream's rangeEval: at each step it gathers what the operands have, and keeps what comes out."""
        gathered = sum((operand.samples for operand in frame.operands), np.zeros_like(given.samples))
        if not frame.operands and _tells_times(node):
            given.read[:] = gathered = given.samples
        self.peak = max(self.peak, self._held + int((gathered + np.cumsum(given.sizes)).max(initial=0)))
        self._replace(frame, given)

    def _count_call(
        self, node: nodes.FunctionCall, frame: _Frame, ranges: RangeVector, given: _Given
    ) -> None:
        """It goes through the windows of one series after the other, and keeps the results."""
        is_absent = node.source.function == "absent_over_time"
        windows = _windows("present_over_time" if is_absent else node.source.function, ranges)
        results = windows.results
        if ranges.histograms and not is_absent:
            # Of these it is not known which series has which results, only what they come to.
            positions = [each.position for each in ranges.histograms]
            results[positions] = 0
            results[positions] = (given.sizes.sum() - results.sum()) // len(positions)
        kept = np.cumsum(results)
        held = np.maximum(kept - results + windows.most, kept + windows.last)
        self.peak = max(self.peak, self._held + int(held.max(initial=0)))
        self._hold(int(results.sum() if is_absent else given.sizes.sum()))
        if not any(isinstance(arg, nodes.SubqueryRange) for arg in node.args):
            given.read[:] += windows.read
        elif frame.operands:
            self._held -= int(frame.operands[0].sizes.sum())

    def _replace(self, frame: _Frame, given: _Given) -> None:
        """What was held for the operands is not any more."""
        self._held = frame.before
        self._hold(int(given.sizes.sum()))

    def _hold(self, samples: int) -> None:
        self._held += samples
        self.peak = max(self.peak, self._held)


class _Windows(NamedTuple):
    """`most` and `last` samples in a window, and `results`: int64[series]; what is read: `read[step]`."""

    most: IntArray
    last: IntArray
    results: IntArray
    read: IntArray


def _windows(function: str, ranges: RangeVector) -> _Windows:
    """Histograms count as several samples; what is read anew at a step is not in the window before."""
    most, last, results = (np.zeros(ranges.labels.size, dtype=np.int64) for _ in range(3))
    read = np.zeros(len(ranges.end_ms), dtype=np.int64)
    before_ms, until_ms = ranges.start_ms - ranges.before_ms, ranges.end_ms + ranges.after_ms
    anew_ms = np.maximum(before_ms[1:], until_ms[:-1])
    min_samples = RANGE_KERNELS[function].min_samples
    floats = ((block.timestamps_ms, block.series, None) for block in ranges.blocks())
    histograms = (
        (each.timestamps_ms, np.array([each.position]), stored_sizes(each)) for each in ranges.histograms
    )
    for timestamps_ms, series, sizes in (*floats, *histograms):
        size_until = np.arange(len(timestamps_ms) + 1) if sizes is None else np.append(0, np.cumsum(sizes))
        until = size_until[np.searchsorted(timestamps_ms, until_ms, side="right")]
        samples = until - size_until[np.searchsorted(timestamps_ms, before_ms, side="right")]
        most[series] += samples.max()
        last[series] += samples[-1]
        results[series] += np.count_nonzero(samples >= min_samples)
        read[0] += samples[0] * len(series)
        anew = until[1:] - size_until[np.searchsorted(timestamps_ms, anew_ms, side="right")]
        read[1:] += anew * len(series)
    return _Windows(most, last, results, read)


def _tells_times(node: nodes.PlanNode) -> bool:
    return isinstance(node, nodes.FunctionCall) and node.source.function in ("timestamp", "start_timestamp")


def _read_below(node: nodes.PlanNode, frame: _Frame, steps_ms: IntArray, step_ms: int) -> IntArray:
    """int64[step]: what the operands read, as upstream attributes it to the steps of the node."""
    read = np.zeros(len(steps_ms), dtype=np.int64)
    for operand in frame.operands:
        if isinstance(node, nodes.Invariant) or len(steps_ms) == 1:
            read[0] += operand.read.sum()
        elif operand.steps_ms is steps_ms:
            read += operand.read
        else:
            assert isinstance(node, nodes.FunctionCall)
            read += _read_by_subquery(node, operand, steps_ms, step_ms)
    return read


def _read_by_subquery(
    node: nodes.FunctionCall, operand: _Given, steps_ms: IntArray, step_ms: int
) -> IntArray:
    """Each of the subquery's steps counts once, at the first range that holds it."""
    (subquery,) = (arg for arg in node.args if isinstance(arg, nodes.SubqueryRange))
    times_ms = operand.steps_ms + subquery.offset_ms
    steps = np.clip(-((steps_ms[0] - times_ms) // step_ms), 0, len(steps_ms) - 1)
    held = times_ms > steps_ms[steps] - subquery.range_ms
    read = np.zeros(len(steps_ms), dtype=np.int64)
    np.add.at(read, steps[held], operand.read[held])
    return read


def _counted(value: Value, steps: int) -> tuple[IntArray, IntArray]:
    """(samples[step], sizes[step]) of a vector or a scalar."""
    if isinstance(value, Scalar | String):
        return np.ones(steps, dtype=np.int64), np.ones(steps, dtype=np.int64)
    present = present_mask(value)
    samples = np.count_nonzero(present, axis=1)
    if value.histograms is None:
        return samples, samples
    sizes = samples.copy()
    for step, series in zip(
        *np.nonzero(present & np.not_equal(value.histograms, np.array(None))), strict=True
    ):
        sizes[step] += size_in_samples(value.histograms[step, series]) - 1
    return samples, sizes
