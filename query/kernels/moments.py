"""Co-moments over windows of rows, sum((x - mean x) (y - mean y)): for variances and regressions."""

from typing import NamedTuple

import numpy as np

from query.kernels.chunks import Chunks, alike, are_few
from query.kernels.sums import row_sum
from tsdb.sample import FloatArray, IntArray


class CoMoments(NamedTuple):
    """Of the rows of a window: their number, the two means, and the co-moment."""

    rows: FloatArray
    mean_x: FloatArray
    mean_y: FloatArray
    moment: FloatArray


def window_comoments(x: FloatArray, y: FloatArray, first: IntArray, last: IntArray) -> CoMoments:
    """Co-moments of `x` and `y` over the rows `first[step]` to `last[step]`, all float64[step, column].

    `y` is float64[row, column], `x` as well, or float64[row, 1]. Welford's recurrence runs within chunks, and
    Chan's formula joins the two ends that make a window; neither subtracts large sums from each other.
    """
    if are_few(len(y), first, last):
        return _of_windows(x, y, first, last)
    chunks = Chunks.of(len(y), first, last)
    x_rows, y_rows = chunks.cut(x, neutral=0.0), chunks.cut(y, neutral=0.0)
    filled = chunks.cut(np.ones((len(y), 1)), neutral=0.0)
    heads = _running(x_rows, y_rows, filled, chunks.last_chunk, chunks.last_place)
    tails = _running(
        x_rows[:, ::-1], y_rows[:, ::-1], filled[:, ::-1], chunks.first_chunk, chunks.first_place
    )
    for part, unused in ((heads, chunks.no_head), (tails, chunks.no_tail)):
        for array in part:
            array[unused] = 0.0
    joined = _joined(tails, heads)
    for steps, rows in alike(chunks.inside, first, last, y.shape[1]):
        for array, values in zip(joined, _of_rows(x[rows], y[rows]), strict=True):
            array[steps] = values
    return joined


def _of_windows(x: FloatArray, y: FloatArray, first: IntArray, last: IntArray) -> CoMoments:
    steps, columns = len(first), y.shape[1]
    result = CoMoments(
        *(np.empty((steps, width)) for width in (1, x.shape[1], columns, columns)),
    )
    for part, rows in alike(np.arange(steps), first, last, columns):
        for array, values in zip(result, _of_rows(x[rows], y[rows]), strict=True):
            array[part] = values
    return result


def _of_rows(x: FloatArray, y: FloatArray) -> CoMoments:
    """The co-moments over all rows, the first axis: float64[window, column]."""
    mean_x, mean_y = _mean(x), _mean(y)
    moment = row_sum((x - mean_x) * (y - mean_y)).rounded()
    return CoMoments(np.full((y.shape[1], 1), float(len(y))), mean_x, mean_y, moment)


def _mean(values: FloatArray) -> FloatArray:
    """The mean over the rows, from the first row on, so that a constant is its own mean to the last bit."""
    mean: FloatArray = values[0] + row_sum(values - values[0]).rounded() / len(values)
    return mean


def _running(x: FloatArray, y: FloatArray, filled: FloatArray, chunk: IntArray, place: IntArray) -> CoMoments:
    """Co-moments of the rows up to `place[step]` of `chunk[step]`; arrays are float64[chunk, row, column].

    `filled` is 1 where a row is one, 0 where it fills up a chunk. Runs along the rows, all chunks at once.
    """
    rows = np.cumsum(filled, axis=1)
    mean_x, mean_y, moment = np.empty(x.shape), np.empty(y.shape), np.empty(y.shape)
    mean_x[:, 0], mean_y[:, 0], moment[:, 0] = x[:, 0], y[:, 0], 0.0
    for row in range(1, y.shape[1]):
        divisor = np.maximum(rows[:, row], 1.0)
        np.add(mean_x[:, row - 1], (x[:, row] - mean_x[:, row - 1]) / divisor, out=mean_x[:, row])
        from_mean = y[:, row] - mean_y[:, row - 1]
        np.add(mean_y[:, row - 1], from_mean / divisor, out=mean_y[:, row])
        from_mean *= x[:, row] - mean_x[:, row]
        np.add(moment[:, row - 1], from_mean, out=moment[:, row])
    return CoMoments(rows[chunk, place], mean_x[chunk, place], mean_y[chunk, place], moment[chunk, place])


def _joined(left: CoMoments, right: CoMoments) -> CoMoments:
    rows = left.rows + right.rows
    share = right.rows / rows
    between_x, between_y = right.mean_x - left.mean_x, right.mean_y - left.mean_y
    return CoMoments(
        rows,
        left.mean_x + between_x * share,
        left.mean_y + between_y * share,
        left.moment + right.moment + between_x * between_y * (left.rows * share),
    )
