"""Columns of sealed samples in their narrowest lossless form, columns of a kind side by side.

| kind | holds a column if | bytes a sample |
|---|---|---|
| `Constant` | all samples have the same bits | 0 |
| `Offsets` | each is the least one plus a whole number below 2**8, 2**16 or 2**32 | 1, 2, 4 |
| `Plain` float32 | each is exact in float32 | 4 |
| `Plain` float64 | always | 8 |

Lossless means bit for bit, payloads of NaN and the sign of zero included: a kind takes a column
only if its own arithmetic gives the same bits back.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsdb.sample import BoolArray, CodeArray, FloatArray, IntArray

Columns: TypeAlias = IntArray | CodeArray | slice

_OFFSET_TYPES: Final = (np.uint8, np.uint16, np.uint32)


@dataclass(frozen=True)
class Constant:
    """`values[column]` in every row."""

    values: FloatArray

    def read(self, rows: slice, columns: Columns) -> FloatArray:
        values = self.values[columns]
        return np.broadcast_to(values, (rows.stop - rows.start, len(values)))

    @property
    def memory_bytes(self) -> int:
        return self.values.nbytes


@dataclass(frozen=True)
class Offsets:
    """`bases[column] + offsets[row, column]`; the offsets are unsigned integers."""

    bases: FloatArray
    offsets: NDArray[Any]

    def read(self, rows: slice, columns: Columns) -> FloatArray:
        values: FloatArray = self.bases[columns] + self.offsets[rows, columns]
        return values

    @property
    def memory_bytes(self) -> int:
        return self.bases.nbytes + self.offsets.nbytes


@dataclass(frozen=True)
class Plain:
    """`values[row, column]`, float32 or float64."""

    values: NDArray[Any]

    def read(self, rows: slice, columns: Columns) -> FloatArray:
        return self.values[rows, columns].astype(np.float64, copy=False)

    @property
    def memory_bytes(self) -> int:
        return self.values.nbytes


Stripe: TypeAlias = Constant | Offsets | Plain


def encode(values: FloatArray) -> list[tuple[IntArray, Stripe]]:
    """The columns of `values[row, column]` by kind: their positions, and the stripe that holds them."""
    constant = _same_bits(values, values[:1])
    stripes: list[tuple[IntArray, Stripe]] = [(np.flatnonzero(constant), Constant(values[0, constant]))]
    varying = np.flatnonzero(~constant)
    if len(varying):
        stripes += [(varying[at], stripe) for at, stripe in _encode_varying(values[:, varying])]
    return [(columns, stripe) for columns, stripe in stripes if len(columns)]


def _encode_varying(values: FloatArray) -> list[tuple[IntArray, Stripe]]:
    with np.errstate(all="ignore"):  # infinities and NaN fail the tests below, and that is what they are for
        bases = values.min(axis=0)
        offsets = values - bases
        spans = offsets.max(axis=0)
        whole = (offsets == np.rint(offsets)).all(axis=0) & _same_bits(bases + offsets, values)
        single = _same_bits(values.astype(np.float32).astype(np.float64), values)
    stripes: list[tuple[IntArray, Stripe]] = []
    left = np.ones(values.shape[1], dtype=np.bool_)
    for dtype in _OFFSET_TYPES:
        at = np.flatnonzero(left & whole & (spans <= np.iinfo(dtype).max))
        stripes.append((at, Offsets(bases[at], offsets[:, at].astype(dtype))))
        left[at] = False
    at = np.flatnonzero(left & single)
    stripes.append((at, Plain(values[:, at].astype(np.float32))))
    at = np.flatnonzero(left & ~single)
    stripes.append((at, Plain(values[:, at])))
    return stripes


def _same_bits(some: FloatArray, others: FloatArray) -> BoolArray:
    """bool[column]: whether all rows agree."""
    same: BoolArray = (some.view(np.uint64) == others.view(np.uint64)).all(axis=0)
    return same
