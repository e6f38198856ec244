"""One-dimensional arrays: room to grow, distinct keys, and runs of equal keys."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsdb.sample import BoolArray, IntArray


def grown(array: NDArray[Any], size: int, fill: int = 0) -> NDArray[Any]:
    """A copy of a one-dimensional array with room for `size` cells and a quarter more."""
    larger = np.full(size + size // 4, fill, dtype=array.dtype)
    larger[: len(array)] = array
    return larger


def distinct(keys: IntArray) -> IntArray:
    """The distinct keys, ascending. Plain `np.unique` would import numpy.ma: 1.3 MB while a server starts."""
    ascending = np.sort(keys)
    is_first: BoolArray = np.diff(ascending, prepend=ascending[:1] - 1) != 0
    return ascending[is_first]


def runs(keys: NDArray[Any]) -> list[IntArray]:
    """The positions of each distinct key, the keys ascending, positions in order."""
    positions = np.arange(len(keys))
    steps = keys[1:] - keys[:-1]
    if len(keys) and not steps.any():
        return [positions]
    if (steps < 0).any():
        positions = np.argsort(keys, kind="stable")
        steps = np.diff(keys[positions])
    bounds = [0, *(np.flatnonzero(steps) + 1).tolist(), len(keys)]
    return [positions[start:end] for start, end in pairwise(bounds) if start < end]


def equal_columns(cells: BoolArray) -> list[IntArray]:
    """The positions of each distinct column of `cells[row, column]`, in order."""
    patterns = np.ascontiguousarray(np.packbits(cells, axis=0).T)
    groups: dict[bytes, list[int]] = {}
    for column, pattern in enumerate(patterns):
        groups.setdefault(pattern.tobytes(), []).append(column)
    return [np.array(group) for group in groups.values()]
