"""Reading the samples of selected series; those of small selections are remembered as matrices.

What is asked for is mostly asked for again when a few rows came since, by a dashboard that refreshes or by
a rule: sealed blocks are then decoded once, and the rows of the head are put behind them.
"""

from typing import Final, NamedTuple, TypeAlias

import numpy as np

from tsdb.recent import Recent
from tsdb.ring import RingView
from tsdb.sample import FOREVER_MS, FloatArray, IntArray
from tsdb.slab import Slab

REMEMBERED_SAMPLES: Final = 1 << 19
"""Four megabytes; what a ring holds of a selection may take a fourth."""


class Matrix(NamedTuple):
    """What a ring held of some series: all rows from `since_ms` on, the first `sealed` of them in blocks.

    `version` and `blocks_version` are the ring's then: its own rows must be free to go. `reach_ms` is the
    longest range asked for; `values` is float64[row, series].
    """

    version: int
    blocks_version: int
    since_ms: int
    reach_ms: int
    sealed: int
    timestamps_ms: IntArray
    values: FloatArray


Matrices: TypeAlias = Recent[tuple[int, bytes], Matrix]
"""By the number of the ring, and the ids of the series."""


def read_slab(
    matrices: Matrices,
    ring: tuple[int, RingView],
    selected: tuple[IntArray, IntArray],
    start_ms: int,
    end_ms: int,
) -> Slab:
    """What a ring holds of series in a range, both ends inclusive.

    `ring` is its number and the ring; `selected` are the series' positions in the selection, and their ids.
    """
    (number, view), (positions, ids) = ring, selected
    key = number, ids.tobytes()
    matrix = matrices.get(key)
    if matrix is None or matrix.version != view.version or matrix.since_ms > start_ms:
        if view.rows_since(start_ms) * len(ids) > matrices.largest:
            return view.slab(positions, ids, start_ms, end_ms)
        matrix = _updated(matrix, view, ids, start_ms, end_ms)
        matrices.put(key, matrix, matrix.values.size)
    first = int(matrix.timestamps_ms.searchsorted(start_ms))
    end = int(matrix.timestamps_ms.searchsorted(end_ms, side="right"))
    return Slab(positions, matrix.timestamps_ms[first:end], (), matrix.values[first:end])


def _updated(old: Matrix | None, view: RingView, ids: IntArray, start_ms: int, end_ms: int) -> Matrix:
    if old is None or old.blocks_version != view.blocks_version or old.since_ms > start_ms:
        reach_ms = max(end_ms - start_ms, old.reach_ms if old else 0)
        since_ms = min(start_ms, end_ms - reach_ms)
        blocks = view._replace(rows=0).slab(ids, ids, since_ms, FOREVER_MS)
        sealed, timestamps_ms, values = len(blocks.timestamps_ms), blocks.timestamps_ms, blocks.read()
    else:
        since_ms, reach_ms, sealed = old.since_ms, old.reach_ms, old.sealed
        timestamps_ms, values = old.timestamps_ms[:sealed], old.values[:sealed]
    timestamps_ms = np.concatenate((timestamps_ms, view.timestamps_ms[: view.rows]))
    values = np.concatenate((values, view.head(view.layout.find(ids))))
    values.flags.writeable = False
    return Matrix(view.version, view.blocks_version, since_ms, reach_ms, sealed, timestamps_ms, values)
