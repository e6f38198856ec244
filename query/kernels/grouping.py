"""A partition of series, laid out so that each group is one contiguous run of columns."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tsdb.sample import BoolArray, FloatArray, IntArray

_BLOCK_VALUES = 32_768  # 256 KiB of float64: a block and its temporaries stay in the L2 cache


@dataclass(frozen=True)
class Grouping:
    """`ids[series]` is the group of each series, numbered 0..count-1, none of them empty.

    `order[position]` lists the series group by group, in their own order within a group (None: they stand so
    already); the positions of group g begin at `starts[g]` and are `sizes[g]`.
    """

    ids: IntArray
    order: IntArray | None
    starts: IntArray
    sizes: IntArray

    @staticmethod
    def of(ids: IntArray, count: int) -> "Grouping":
        """Requires: each of 0..count-1 stands in `ids`."""
        sizes = np.bincount(ids, minlength=count).astype(np.int64)
        starts = np.cumsum(sizes) - sizes
        contiguous = bool((ids[1:] >= ids[:-1]).all())
        order = None if contiguous else np.argsort(ids, kind="stable").astype(np.int64)
        return Grouping(ids, order, starts, sizes)

    @property
    def count(self) -> int:
        return len(self.starts)

    @property
    def rank(self) -> IntArray:
        """int64[position]: how many series of its own group stand before it."""
        return np.arange(len(self.ids)) - np.repeat(self.starts, self.sizes)

    def positions_of(self, size: int) -> IntArray | slice:
        """The positions of all groups of a size; a slice where they are one run, for the sake of views."""
        positions = np.flatnonzero(np.repeat(self.sizes, self.sizes) == size)
        first, last = int(positions[0]), int(positions[-1])
        return slice(first, last + 1) if last - first + 1 == len(positions) else positions

    def gather(self, matrix: FloatArray) -> FloatArray:
        """`matrix[step, series]` as `[step, position]`; may be `matrix` itself."""
        return matrix if self.order is None else np.take(matrix, self.order, axis=1)

    def gather_mask(self, mask: BoolArray) -> BoolArray:
        """`mask[step, series]` as `[step, position]`; may be `mask` itself."""
        return mask if self.order is None else np.take(mask, self.order, axis=1)

    def scatter_mask(self, mask: BoolArray) -> BoolArray:
        """`mask[step, position]` as `[step, series]`."""
        if self.order is None:
            return mask
        scattered = np.empty_like(mask)
        scattered[:, self.order] = mask
        return scattered


def step_blocks(steps: int, columns: int) -> Iterator[slice]:
    """Slices of steps, such that a block of `columns` float64 fits the cache."""
    rows = max(1, _BLOCK_VALUES // max(1, columns))
    for start in range(0, steps, rows):
        yield slice(start, min(start + rows, steps))
