"""Sums over windows of rows, compensated.

Each total is kept as a pair, the float sum and the sum of its rounding errors (Neumaier's variant of
Kahan's summation, upstream util/kahansum).
"""

from typing import NamedTuple

import numpy as np

from query.kernels.chunks import Chunks, alike, are_few
from tsdb.sample import FloatArray, IntArray


class Compensated(NamedTuple):
    """A sum, and what rounding took from it."""

    total: FloatArray
    error: FloatArray

    def rounded(self) -> FloatArray:
        """The sum; an infinite or NaN one as it is."""
        return np.where(np.isfinite(self.total), self.total + self.error, self.total)


def window_sums(values: FloatArray, first: IntArray, last: IntArray) -> Compensated:
    """Sums of `values[first[step] : last[step] + 1]`: two float64[step, column].

    `values` is float64[row, column]. Requires: `first <= last`, both ascending.
    """
    if are_few(len(values), first, last):
        shape = (len(first), values.shape[1])
        sums = Compensated(np.empty(shape), np.empty(shape))
        for steps, rows_of in alike(np.arange(len(first)), first, last, values.shape[1]):
            sums.total[steps], sums.error[steps] = row_sum(values[rows_of])
        return sums
    chunks = Chunks.of(len(values), first, last)
    rows = chunks.cut(values, neutral=0.0)
    heads = _running_sums(rows, chunks.last_chunk, chunks.last_place)
    tails = _running_sums(rows[:, ::-1], chunks.first_chunk, chunks.first_place)
    for part, unused in ((heads, chunks.no_head), (tails, chunks.no_tail)):
        part.total[unused] = 0.0
        part.error[unused] = 0.0
    sums = _add(tails, heads)
    for steps, rows_of in alike(chunks.inside, first, last, values.shape[1]):
        sums.total[steps], sums.error[steps] = row_sum(values[rows_of])
    return sums


def row_sum(values: FloatArray) -> Compensated:
    """The sum over the rows, the first axis: two float64[...]. Requires: a row."""
    total, error = values, np.zeros_like(values)
    while len(total) > 1:
        odd = len(total) % 2
        halves = _add(
            Compensated(total[odd::2], error[odd::2]), Compensated(total[odd + 1 :: 2], error[odd + 1 :: 2])
        )
        total = np.concatenate((total[:odd], halves.total))
        error = np.concatenate((error[:odd], halves.error))
    return Compensated(total[0], error[0])


def _running_sums(chunks: FloatArray, chunk: IntArray, place: IntArray) -> Compensated:
    """Sums of the rows up to `place[step]` of `chunk[step]`; `chunks` is float64[chunk, row, column].

    Runs along the rows, all chunks at once.
    """
    total = np.empty(chunks.shape)
    total[:, 0] = chunks[:, 0]
    for row in range(1, chunks.shape[1]):
        np.add(total[:, row - 1], chunks[:, row], out=total[:, row])
    error = np.empty(chunks.shape)
    error[:, 0] = 0.0
    error[:, 1:] = _rounding_error(total[:, :-1], chunks[:, 1:], total[:, 1:])
    for row in range(2, chunks.shape[1]):
        np.add(error[:, row - 1], error[:, row], out=error[:, row])
    return Compensated(total[chunk, place], error[chunk, place])


def _add(left: Compensated, right: Compensated) -> Compensated:
    total = left.total + right.total
    return Compensated(total, left.error + right.error + _rounding_error(left.total, right.total, total))


def _rounding_error(left: FloatArray, right: FloatArray, total: FloatArray) -> FloatArray:
    """What `left + right` lost when it was rounded to `total` (Knuth's TwoSum); 0 beyond the finite."""
    right_part = total - left
    left_part = total - right_part
    np.subtract(left, left_part, out=left_part)
    np.subtract(right, right_part, out=right_part)
    right_part += left_part
    unknown = ~np.isfinite(right_part)
    if unknown.any():
        right_part[unknown] = 0.0
    return right_part
