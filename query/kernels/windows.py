"""The one shape of data that kernels over ranges compute on."""

from dataclasses import dataclass

from tsdb.sample import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Windows:
    """A window of rows at each step, over a block of columns that have a sample in every row.

    `timestamps_ms` is int64[row], strictly ascending within each window; `values` float64[row, column]. The
    window of a step is the rows `first[step]` to `last[step]`, both inclusive, int64[step] and ascending. It
    was cut from the left-open range (`start_ms[step]`, `end_ms[step]`]. `steps_ms` is the time of evaluation
    itself, which differs from `end_ms` under an offset.

    Requires: at least one step, and in every window as many rows as the kernel's table entry asks for.
    """

    timestamps_ms: IntArray
    values: FloatArray
    first: IntArray
    last: IntArray
    start_ms: IntArray
    end_ms: IntArray
    steps_ms: IntArray

    @property
    def counts(self) -> IntArray:
        """Rows in each window: int64[step]."""
        return self.last - self.first + 1
