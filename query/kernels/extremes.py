"""Extremes over windows of rows."""

import numpy as np

from query.kernels.chunks import Chunks, alike, are_few
from tsdb.sample import FloatArray, IntArray


def window_extremes(chosen: np.ufunc, values: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    """`chosen` (np.fmax or np.fmin) over `values[first[step] : last[step] + 1]`: float64[step, column].

    `values` is float64[row, column]. Requires: `first <= last`, both ascending.
    """
    if are_few(len(values), first, last):
        extremes: FloatArray = np.empty((len(first), values.shape[1]))
        for steps, rows_of in alike(np.arange(len(first)), first, last, values.shape[1]):
            extremes[steps] = chosen.reduce(values[rows_of])
        return extremes
    chunks = Chunks.of(len(values), first, last)
    rows = chunks.cut(values, neutral=np.nan)
    heads = _running(chosen, rows)[chunks.last_chunk, chunks.last_place]
    tails = _running(chosen, rows[:, ::-1])[chunks.first_chunk, chunks.first_place]
    heads[chunks.no_head] = np.nan
    tails[chunks.no_tail] = np.nan
    extremes = chosen(tails, heads, out=heads)
    for steps, rows_of in alike(chunks.inside, first, last, values.shape[1]):
        extremes[steps] = chosen.reduce(values[rows_of])
    return extremes


def window_positions(chosen: np.ufunc, values: FloatArray, first: IntArray, last: IntArray) -> IntArray:
    """The row of each window's extreme, the newest of equals, or the newest row of nothing but NaN.

    int64[step, column].
    """
    extremes = window_extremes(chosen, values, first, last)
    rows = np.empty(extremes.shape, dtype=np.int64)
    for steps, rows_of in alike(np.arange(len(first)), first, last, values.shape[1]):
        newest_first = values[rows_of[::-1]]
        rows[steps] = last[steps][:, None] - np.argmax(newest_first == extremes[steps], axis=0)
    return rows


def _running(chosen: np.ufunc, chunks: FloatArray) -> FloatArray:
    """Running extremes along axis 1 of float64[chunk, row, column], all chunks at once."""
    running = np.empty(chunks.shape)
    running[:, 0] = chunks[:, 0]
    for row in range(1, chunks.shape[1]):
        chosen(running[:, row - 1], chunks[:, row], out=running[:, row])
    return running
