"""The two NaN bit patterns that are not values.

Prometheus marks the end of a series with a NaN of its own payload (`StaleNaN`,
upstream model/value/value.go). A row of a ring that holds no sample for a series has a
second payload, which never leaves the store. Both survive copies of float64 arrays, not
arithmetic and not casts: test for them by their bits.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
CodeArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

NEVER_MS: Final = int(np.iinfo(np.int64).min)
FOREVER_MS: Final = int(np.iinfo(np.int64).max)

STALE_BITS: Final = 0x7FF0000000000002
ABSENT_BITS: Final = 0x7FF0000000000A0B
STALE: Final = np.array([STALE_BITS], dtype=np.uint64).view(np.float64)[0]
ABSENT: Final = np.array([ABSENT_BITS], dtype=np.uint64).view(np.float64)[0]


def is_stale(values: FloatArray) -> BoolArray:
    """Where `values` holds staleness markers. Same shape as `values`."""
    return np.equal(values.view(np.uint64), np.uint64(STALE_BITS))


def is_absent(values: FloatArray) -> BoolArray:
    """Where `values` holds no sample. Same shape as `values`."""
    return np.equal(values.view(np.uint64), np.uint64(ABSENT_BITS))


def is_sample(values: FloatArray) -> BoolArray | None:
    """Where `values` holds real samples, neither stale nor absent; None if everywhere."""
    missing = np.isnan(values)
    if not missing.any():
        return None
    missing &= is_stale(values) | is_absent(values)
    return None if not missing.any() else ~missing
