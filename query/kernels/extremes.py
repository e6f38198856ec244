"""Extremes over windows of rows, at a cost of rows + steps whatever the windows' length (see `sums`)."""

import numpy as np

from tsdb.sample import FloatArray, IntArray


def window_extremes(chosen: np.ufunc, values: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    """`chosen` (np.fmax or np.fmin) over `values[first[step] : last[step] + 1]`: float64[step, column].

    `values` is float64[row, column]. Requires: `first <= last`, both ascending.
    """
    longest = int((last - first).max()) + 1
    if longest * len(first) < 3 * len(values):
        windows = [chosen.reduce(values[lo : hi + 1]) for lo, hi in zip(first, last, strict=True)]
        return np.stack(windows)
    chunks = -(-len(values) // longest)
    padded = np.full((chunks, longest, values.shape[1]), np.nan)
    padded.reshape(chunks * longest, -1)[: len(values)] = values
    heads = _running(chosen, padded)
    tails = _running(chosen, padded[:, ::-1])
    first_chunk, first_place = np.divmod(first, longest)
    last_chunk, last_place = np.divmod(last, longest)
    extremes: FloatArray = chosen(
        tails[first_chunk, longest - 1 - first_place], heads[last_chunk, last_place]
    )
    for step in np.flatnonzero(first_chunk == last_chunk):
        extremes[step] = chosen.reduce(values[first[step] : last[step] + 1])
    return extremes


def window_positions(chosen: np.ufunc, values: FloatArray, first: IntArray, last: IntArray) -> IntArray:
    """The row of each window's extreme, the newest of equals, or the newest row of nothing but NaN.

    int64[step, column].
    """
    extremes = window_extremes(chosen, values, first, last)
    rows = np.empty(extremes.shape, dtype=np.int64)
    for step, (lo, hi) in enumerate(zip(first, last, strict=True)):
        newest_first = values[lo : hi + 1][::-1]
        rows[step] = hi - np.argmax(newest_first == extremes[step], axis=0)
    return rows


def _running(chosen: np.ufunc, chunks: FloatArray) -> FloatArray:
    """Running extremes along axis 1 of float64[chunk, row, column]; one step for all chunks at once."""
    running = np.empty(chunks.shape)
    running[:, 0] = chunks[:, 0]
    for row in range(1, chunks.shape[1]):
        chosen(running[:, row - 1], chunks[:, row], out=running[:, row])
    return running
