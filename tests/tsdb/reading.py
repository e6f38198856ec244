"""Helpers that write and read a store in terms that a model can be compared with."""

import numpy as np

from tsdb import Labels, Matcher, MatchOp, Selection, Snapshot, labels_from
from tsdb.sample import FloatArray, IntArray, is_absent

Samples = dict[Labels, list[tuple[int, int]]]
"""Time and bits of the float samples of each series."""


def series(count: int, **labels: str) -> list[Labels]:
    return [labels_from({"__name__": "m", "i": str(i), **labels}) for i in range(count)]


def everything(snapshot: Snapshot, start_ms: int = -(10**15), end_ms: int = 10**15) -> Selection:
    return snapshot.select([Matcher("__name__", MatchOp.NOT_EQUAL, "")], start_ms, end_ms)


def samples_of(selection: Selection) -> Samples:
    """The float samples of a selection; fails if a series stands in two slabs."""
    found: Samples = {}
    labels = selection.labels.series()
    for slab in selection.slabs:
        assert (np.diff(slab.timestamps_ms) > 0).all()
        values = slab.read()
        for column, position in enumerate(slab.series.tolist()):
            assert labels[position] not in found
            rows = np.flatnonzero(~is_absent(values[:, column]))
            bits = values[rows, column].view(np.uint64).tolist()
            found[labels[position]] = list(zip(slab.timestamps_ms[rows].tolist(), bits, strict=True))
    return {labels: samples for labels, samples in found.items() if samples}


def bits_of(values: FloatArray) -> list[int]:
    return [int(bits) for bits in values.view(np.uint64)]


def times(*timestamps_ms: int) -> IntArray:
    return np.array(timestamps_ms, dtype=np.int64)
