"""Sums over windows of rows, compensated, at a cost of rows + steps whatever the windows' length.

No window is the difference of two running sums: one inf or 1e17 would poison every later window. Instead
the rows are cut into chunks as long as the longest window (van Herk, Gil and Werman). A window then spans at
most two chunks, and is the end of one and the beginning of the next: both are running totals within a chunk.

Each total is kept as a pair, the float sum and the sum of its rounding errors (Neumaier's variant of
Kahan's summation, upstream util/kahansum).
"""

from typing import NamedTuple

import numpy as np

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
    longest = int((last - first).max()) + 1
    if longest * len(first) < 3 * len(values):
        return _stacked([row_sum(values[lo : hi + 1]) for lo, hi in zip(first, last, strict=True)])
    chunks = -(-len(values) // longest)
    padded = np.zeros((chunks, longest, values.shape[1]))
    padded.reshape(chunks * longest, -1)[: len(values)] = values
    heads = _running_sums(padded)
    tails = _running_sums(padded[:, ::-1])
    first_chunk, first_place = np.divmod(first, longest)
    last_chunk, last_place = np.divmod(last, longest)
    sums = _add(_pick(tails, first_chunk, longest - 1 - first_place), _pick(heads, last_chunk, last_place))
    for step in np.flatnonzero(first_chunk == last_chunk):
        inside = row_sum(values[first[step] : last[step] + 1])
        sums.total[step], sums.error[step] = inside
    return sums


def row_sum(values: FloatArray) -> Compensated:
    """The sum over the rows: two float64[column]. Requires: a row."""
    total, error = values, np.zeros_like(values)
    while len(total) > 1:
        odd = len(total) % 2
        halves = _add(
            Compensated(total[odd::2], error[odd::2]), Compensated(total[odd + 1 :: 2], error[odd + 1 :: 2])
        )
        total = np.concatenate((total[:odd], halves.total))
        error = np.concatenate((error[:odd], halves.error))
    return Compensated(total[0], error[0])


def _running_sums(chunks: FloatArray) -> Compensated:
    """Running sums along axis 1 of float64[chunk, row, column]; one step for all chunks at once."""
    total = np.empty(chunks.shape)
    error = np.zeros(chunks.shape)
    total[:, 0] = chunks[:, 0]
    for row in range(1, chunks.shape[1]):
        np.add(total[:, row - 1], chunks[:, row], out=total[:, row])
    error[:, 1:] = _rounding_error(total[:, :-1], chunks[:, 1:], total[:, 1:])
    for row in range(2, chunks.shape[1]):
        np.add(error[:, row - 1], error[:, row], out=error[:, row])
    return Compensated(total, error)


def _add(left: Compensated, right: Compensated) -> Compensated:
    total = left.total + right.total
    return Compensated(total, left.error + right.error + _rounding_error(left.total, right.total, total))


def _rounding_error(left: FloatArray, right: FloatArray, total: FloatArray) -> FloatArray:
    """What `left + right` lost when it was rounded to `total` (Knuth's TwoSum); 0 beyond the finite."""
    right_part = total - left
    error = (left - (total - right_part)) + (right - right_part)
    error[~np.isfinite(error)] = 0.0
    return error


def _pick(sums: Compensated, chunk: IntArray, place: IntArray) -> Compensated:
    return Compensated(sums.total[chunk, place], sums.error[chunk, place])


def _stacked(sums: list[Compensated]) -> Compensated:
    return Compensated(np.stack([each.total for each in sums]), np.stack([each.error for each in sums]))
