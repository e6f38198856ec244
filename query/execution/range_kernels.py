"""Kernels applied to range vectors: in blocks, so that memory and the time between two checks are bounded."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from query.execution.building import VectorBuilder
from query.execution.context import EvalContext
from query.execution.parallel import in_threads
from query.execution.ranges import Block, RangeVector
from query.execution.selectors import BLOCK_SAMPLES, stored_samples
from query.kernels.ranges import RangeKernel
from query.kernels.windows import Windows
from tsdb.sample import BoolArray, FloatArray, IntArray

_FEW_COLUMNS = 8
_FEW_CELLS = 1 << 11
_FEW_SAMPLES = 1 << 13
"""Blocks of few columns, or results and samples, are computed together: a call costs more than its work."""

_PIECE_SAMPLES = 1 << 24
"""Samples that a kernel looks at, each once for every window it is in, before the query may be stopped."""


def apply_kernel(
    kernel: RangeKernel, ranges: RangeVector, args: Sequence[FloatArray], context: EvalContext
) -> VectorBuilder:
    """The kernel's value of the floats where a window has samples enough."""
    builder = VectorBuilder(ranges.labels, context)
    application = _Application(kernel, ranges, args, context)
    blocks = _together(ranges.blocks(), context.step_count)
    for computed in in_threads(application.computed, blocks, samples=stored_samples(ranges.slabs)):
        context.looked_at(computed.samples)
        builder.add(computed.series, computed.values, computed.present)
    return builder


class _Computed(NamedTuple):
    """Columns as a builder takes them, and how many samples each step looked at for them: `samples[step]`."""

    series: IntArray
    values: FloatArray
    present: BoolArray | None
    samples: IntArray


@dataclass(frozen=True)
class _Application:
    """A kernel to be applied; `computed` runs in several threads."""

    kernel: RangeKernel
    ranges: RangeVector
    args: Sequence[FloatArray]
    context: EvalContext

    def computed(self, blocks: Sequence[Block]) -> _Computed:
        """The values of one block, or of several narrow ones."""
        return self._of_narrow(blocks) if len(blocks) > 1 else self._of_block(blocks[0])

    def _of_block(self, block: Block) -> _Computed:
        first, last = self.ranges.window_rows(block.timestamps_ms)
        counts = last - first + 1
        samples = counts * len(block.series)
        enough = counts >= self.kernel.min_samples
        steps = np.flatnonzero(enough)
        if len(steps) == 0:
            return _Computed(block.series[:0], np.empty((len(enough), 0)), None, samples)
        values = self._computed(block.timestamps_ms, block.values, first[steps], last[steps], steps)
        if len(steps) == len(enough):
            return _Computed(block.series, values, None, samples)
        all_steps = np.zeros((len(enough), len(block.series)))
        all_steps[steps] = values
        return _Computed(block.series, all_steps, enough[:, None], samples)

    def _of_narrow(self, blocks: Sequence[Block]) -> _Computed:
        """Columns of many patterns of gaps as one long column, the rows of each below the one's before."""
        firsts, lasts, timestamps_ms, rows = [], [], [], 0
        for block in blocks:
            first, last = self.ranges.window_rows(block.timestamps_ms)
            width, height = len(block.series), len(block.timestamps_ms)
            above = rows + height * np.arange(width)[:, None]
            firsts.append(first + above)
            lasts.append(last + above)
            timestamps_ms += [block.timestamps_ms] * width
            rows += width * height
        first, last = np.concatenate(firsts), np.concatenate(lasts)
        counts = last - first + 1
        enough = counts >= self.kernel.min_samples
        columns, steps = np.nonzero(enough)
        series = np.concatenate([block.series for block in blocks])
        values = np.zeros((self.context.step_count, len(series)))
        if len(steps):
            column = np.concatenate([block.values.T.ravel() for block in blocks])[:, None]
            values[steps, columns] = self._computed(
                np.concatenate(timestamps_ms), column, first[enough], last[enough], steps
            )[:, 0]
        return _Computed(series, values, enough.T, counts.sum(axis=0))

    def _computed(
        self, timestamps_ms: IntArray, values: FloatArray, first: IntArray, last: IntArray, steps: IntArray
    ) -> FloatArray:
        """What the kernel gives for the windows: float64[window, column]; window i is one of `steps[i]`."""
        parts = []
        for part in _pieces(last - first + 1, values.shape[1]):
            self.context.check()
            rows, at = slice(int(first[part][0]), int(last[part][-1]) + 1), steps[part]
            windows = Windows(
                timestamps_ms[rows],
                values[rows],
                first[part] - rows.start,
                last[part] - rows.start,
                self.ranges.start_ms[at],
                self.ranges.end_ms[at],
                self.context.steps_ms[at],
            )
            parts.append(self.kernel.compute(windows, [arg[at] for arg in self.args]))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _together(blocks: Iterable[Block], steps: int) -> Iterator[list[Block]]:
    """Each block, and narrow ones some at a time."""
    narrow: list[Block] = []
    samples = 0
    for block in blocks:
        if not _is_narrow(block, steps):
            yield [block]
            continue
        narrow.append(block)
        samples += block.values.size
        if samples >= BLOCK_SAMPLES:
            yield narrow
            narrow, samples = [], 0
    if narrow:
        yield narrow


def _is_narrow(block: Block, steps: int) -> bool:
    columns = len(block.series)
    return columns < _FEW_COLUMNS or (columns * steps <= _FEW_CELLS and block.values.size <= _FEW_SAMPLES)


def _pieces(counts: IntArray, columns: int) -> Iterator[slice]:
    """Runs of windows that hold about `_PIECE_SAMPLES` each, of `counts[window]` rows."""
    if int(counts.sum()) * columns <= _PIECE_SAMPLES:
        yield slice(0, len(counts))
        return
    samples = np.cumsum(counts) * columns
    start = 0
    while start < len(samples):
        before = samples[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(samples, before + _PIECE_SAMPLES, side="right")))
        yield slice(start, stop)
        start = stop
