"""The forms in which columns of sealed samples are held, columns of a kind side by side: `Stripe`s.

| kind | holds a column as | bytes a sample |
|---|---|---|
| `Constant` | one value | 0 |
| `Runs` | the values that follow one another, and how often each stands there | 9 a run |
| `Offsets` | whole numbers: the least one, and what each has more | 1, 2, 4 |
| `Deltas` | whole numbers: the first one, and what each has more than the one before | 1, 2 |
| `Decimals` | whole numbers in either of these forms, divided by a power of ten | 1, 2, 4 |
| `Plain` | float32 or float64 | 4, 8 |

Which form a column gets is the business of `encoder.py`. All are lossless, bit for bit: a form takes a
column only if reading gives the same bits back.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsdb.sample import ABSENT, STALE, CodeArray, FloatArray, IntArray

Columns: TypeAlias = NDArray[Any] | slice


@dataclass(frozen=True, slots=True)
class Constant:
    """`values[column]` in every row, float32 or float64."""

    values: NDArray[Any]

    def read(self, rows: slice, columns: Columns) -> FloatArray:
        values = self.values[columns].astype(np.float64, copy=False)
        return np.broadcast_to(values, (rows.stop - rows.start, len(values)))

    @property
    def memory_bytes(self) -> int:
        return self.values.nbytes


@dataclass(frozen=True, slots=True)
class Runs:
    """Column c is `values[run]`, `lengths[run]` times each, for the runs in `starts[c]:starts[c + 1]`."""

    starts: CodeArray
    values: FloatArray
    lengths: NDArray[np.uint8]

    def read(self, rows: slice, columns: Columns) -> FloatArray:
        begins, ends = self.starts[:-1][columns], self.starts[1:][columns]
        runs: slice | IntArray
        if isinstance(columns, slice):
            runs = slice(int(begins[0]), int(ends[-1]))
        else:
            counts = ends - begins
            runs = np.arange(counts.sum()) + np.repeat(ends - np.cumsum(counts), counts)
        values = np.repeat(self.values[runs], self.lengths[runs])
        return values.reshape(len(begins), -1).T[rows]

    @property
    def memory_bytes(self) -> int:
        return self.starts.nbytes + self.values.nbytes + self.lengths.nbytes


@dataclass(frozen=True, slots=True)
class Offsets:
    """`bases[column] + offsets[row, column]`; the offsets are unsigned integers.

    In a stripe with gaps the largest offset is ABSENT, the one below it STALE.
    """

    bases: FloatArray
    offsets: NDArray[Any]
    has_gaps: bool = False

    def read(self, rows: slice, columns: Columns) -> FloatArray:
        offsets = _cells(self.offsets, rows, columns)
        values: FloatArray = self.bases[columns] + offsets
        if self.has_gaps:
            absent = np.iinfo(offsets.dtype).max
            values[offsets == absent] = ABSENT
            values[offsets == absent - 1] = STALE
        return values

    @property
    def memory_bytes(self) -> int:
        return self.bases.nbytes + self.offsets.nbytes


@dataclass(frozen=True, slots=True)
class Deltas:
    """`firsts[column]` in row 0; each further row adds `steps[column] + deltas[row, column]`.

    The deltas are unsigned integers; a step is 0 where values never fall, else the deepest fall.
    """

    firsts: FloatArray
    steps: FloatArray
    deltas: NDArray[Any]

    def read(self, rows: slice, columns: Columns) -> FloatArray:
        deltas = _cells(self.deltas, slice(0, rows.stop), columns)
        # Rows as long as a power of two would put the whole of a column into few sets of the cache.
        padded = deltas.shape[1] + (16 if deltas.shape[1] % 64 == 0 else 0)
        grown = np.empty((len(deltas), padded), dtype=np.uint32)[:, : deltas.shape[1]]
        grown[...] = deltas
        np.add.accumulate(grown, axis=0, out=grown)
        values: FloatArray = self.firsts[columns] + grown[rows]
        steps = self.steps[columns]
        if steps.any():
            values += steps * np.arange(rows.start, rows.stop)[:, None]
        return values

    @property
    def memory_bytes(self) -> int:
        return self.firsts.nbytes + self.steps.nbytes + self.deltas.nbytes


@dataclass(frozen=True, slots=True)
class Decimals:
    """Whole numbers divided by `10 ** exponents[column]`."""

    whole: Offsets | Deltas
    exponents: NDArray[np.uint8]

    def read(self, rows: slice, columns: Columns) -> FloatArray:
        values = self.whole.read(rows, columns)
        values /= POWERS_OF_TEN[self.exponents[columns]]
        return values

    @property
    def memory_bytes(self) -> int:
        return self.whole.memory_bytes + self.exponents.nbytes


@dataclass(frozen=True, slots=True)
class Plain:
    """`values[row, column]`, float32 or float64."""

    values: NDArray[Any]

    def read(self, rows: slice, columns: Columns) -> FloatArray:
        return _cells(self.values, rows, columns).astype(np.float64, copy=False)

    @property
    def memory_bytes(self) -> int:
        return self.values.nbytes


def _cells(matrix: NDArray[Any], rows: slice, columns: Columns) -> NDArray[Any]:
    """`matrix[rows, columns]`; numpy takes columns several times faster than it indexes them."""
    if isinstance(columns, slice):
        return matrix[rows, columns]
    return matrix[rows].take(columns, axis=1)


Stripe: TypeAlias = Constant | Runs | Offsets | Deltas | Decimals | Plain

POWERS_OF_TEN: Final[FloatArray] = np.array([10.0**exponent for exponent in range(10)])
