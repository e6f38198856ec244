"""All samples of a selection, in an order in which a store takes them again."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from tsdb.histogram import FloatHistogram
from tsdb.sample import FloatArray, IntArray, is_absent
from tsdb.snapshot import Selection

_COLUMNS_AT_ONCE: Final = 1024
_ROWS_AT_ONCE: Final = 64


class Matrix(NamedTuple):
    """Float samples: `values[row, column]` at `timestamps_ms[row]`, ABSENT where there is none.

    `series[column]` is a position in `Selection.labels`.
    """

    series: IntArray
    timestamps_ms: IntArray
    values: FloatArray


def matrices(selection: Selection) -> Iterator[Matrix]:
    """The series that have floats only; rows of the same series follow one another."""
    others = [one.position for one in selection.histograms]
    for slab in selection.slabs:
        plain = np.flatnonzero(~np.isin(slab.series, others))
        for first in range(0, len(plain), _COLUMNS_AT_ONCE):
            columns = plain[first : first + _COLUMNS_AT_ONCE]
            around = slice(int(columns[0]), int(columns[-1]) + 1)
            for row in range(0, len(slab.timestamps_ms), _ROWS_AT_ONCE):
                rows = slice(row, row + _ROWS_AT_ONCE)
                values = np.ascontiguousarray(slab.read(around, rows)[:, columns - columns[0]])
                yield Matrix(slab.series[columns], slab.timestamps_ms[rows], values)


class Mixed(NamedTuple):
    """The samples of one series with native histograms, ascending by time; float[1] for a float."""

    position: int
    samples: list[tuple[int, FloatArray | FloatHistogram]]


def mixed(selection: Selection) -> Iterator[Mixed]:
    """The series that have native histograms, and perhaps floats."""
    for one in selection.histograms:
        samples: list[tuple[int, FloatArray | FloatHistogram]] = list(
            zip(one.timestamps_ms.tolist(), one.histograms, strict=True)
        )
        for slab in selection.slabs:
            for column in np.flatnonzero(slab.series == one.position).tolist():
                values = slab.read(slice(column, column + 1))
                rows = np.flatnonzero(~is_absent(values[:, 0])).tolist()
                samples += [(int(slab.timestamps_ms[row]), values[row].copy()) for row in rows]
        samples.sort(key=lambda sample: sample[0])
        yield Mixed(one.position, samples)
