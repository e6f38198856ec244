"""How to combine windows of rows at a cost of rows + steps, whatever the windows' length.

The rows are cut into chunks as long as the longest window (van Herk, Gil and Werman). A window then spans at
most two chunks, and is the end of one and the beginning of the next: both are running results within a
chunk. Nothing is ever taken away again, so one inf or 1e17 can't poison later windows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tsdb.sample import FloatArray, IntArray

_ALIKE_SAMPLES = 1 << 18
"""How many samples `alike` gathers at a time: two megabytes."""


@dataclass(frozen=True)
class Chunks:
    """The chunks that windows lie in.

    A window ends in row `last_place[step]` of chunk `last_chunk[step]`. The running result from the chunk's
    first row to that one is the head of the window, but more than it for the steps in `no_head`.
    `first_chunk`, `first_place` and `no_tail` tell the same of its tail, whose rows run backwards. Steps
    `inside` a chunk, at neither of its ends, need a look at their rows.
    """

    count: int
    length: int
    first_chunk: IntArray
    first_place: IntArray
    last_chunk: IntArray
    last_place: IntArray
    no_head: IntArray
    no_tail: IntArray
    inside: IntArray

    @staticmethod
    def of(rows: int, first: IntArray, last: IntArray) -> "Chunks":
        """The chunks of `rows` rows for windows `first[step]` to `last[step]`, both inclusive."""
        length = int((last - first).max()) + 1
        first_chunk, first_place = np.divmod(first, length)
        last_chunk, last_place = np.divmod(last, length)
        within_one = first_chunk == last_chunk
        from_start = within_one & (first_place == 0)
        to_end = within_one & ~from_start & ((last_place == length - 1) | (last == rows - 1))
        return Chunks(
            -(-rows // length),
            length,
            first_chunk,
            length - 1 - first_place,
            last_chunk,
            last_place,
            np.flatnonzero(to_end),
            np.flatnonzero(from_start),
            np.flatnonzero(within_one & ~from_start & ~to_end),
        )

    def cut(self, values: FloatArray, neutral: float) -> FloatArray:
        """float64[chunk, row, column] of `values[row, column]`, filled up with `neutral`."""
        chunks = np.empty((self.count, self.length, values.shape[1]))
        flat = chunks.reshape(self.count * self.length, -1)
        flat[: len(values)] = values
        flat[len(values) :] = neutral
        return chunks


def alike(
    steps: IntArray, first: IntArray, last: IntArray, columns: int
) -> Iterator[tuple[IntArray, IntArray]]:
    """Windows of one length, together: (some of `steps`, rows int64[row of the window, window]).

    As many at a time as have about `_ALIKE_SAMPLES` in all `columns`.
    """
    lengths = (last - first + 1)[steps]
    for length in np.unique(lengths).tolist():
        same = steps[lengths == length]
        width = max(1, _ALIKE_SAMPLES // (length * columns))
        for start in range(0, len(same), width):
            part = same[start : start + width]
            yield part, first[part] + np.arange(length)[:, None]


def are_few(rows: int, first: IntArray, last: IntArray) -> bool:
    """Whether the windows hold so few rows in all that chunks don't pay."""
    return int((last - first + 1).sum()) < 4 * rows
