"""Where `limit_ratio` places a series: the same place as upstream does, so that both keep the same series."""

from typing import Final

import numpy as np

from query.kernels.xxhash import xxh64
from tsdb import LabelFrame, Labels
from tsdb.sample import FloatArray

_MAX_UINT64: Final = float(2**64)
_LONG: Final = 255


def sampling_offsets(labels: LabelFrame) -> FloatArray:
    """float64[series] in [0, 1], from the hash of each label set (upstream's HashRatioSampler)."""
    return np.array([xxh64(_packed(series)) / _MAX_UINT64 for series in labels.series()])


def _packed(labels: Labels) -> bytes:
    """A label set as upstream hashes it: names and values, each behind its length (stringlabels)."""
    return b"".join(_prefixed(text.encode()) for pair in labels for text in pair)


def _prefixed(text: bytes) -> bytes:
    length = len(text)
    prefix = bytes((length,)) if length < _LONG else bytes((_LONG,)) + length.to_bytes(3, "little")
    return prefix + text
