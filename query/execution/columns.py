"""Series of a vector chosen, or put side by side, whatever their samples are."""

import numpy as np

from query.execution.values import HistogramArray, Vector
from tsdb.sample import BoolArray, IntArray


def take(vector: Vector, series: IntArray) -> Vector:
    """The series at the given positions, in that order."""
    if is_identity(series, vector.labels.size):
        return vector
    return Vector(
        vector.labels.take(series),
        vector.values[:, series],
        None if vector.present is None else vector.present[:, series],
        None if vector.histograms is None else vector.histograms[:, series],
        None if vector.drop_name is None else vector.drop_name[series],
    )


def concat(left: Vector, right: Vector) -> Vector:
    """The series of `left`, then those of `right`. Requires: one scope, the same steps."""
    present = histograms = drop_name = None
    if left.present is not None or right.present is not None:
        present = np.concatenate((present_mask(left), present_mask(right)), axis=1)
    if left.histograms is not None or right.histograms is not None:
        histograms = np.concatenate((histogram_cells(left), histogram_cells(right)), axis=1)
    if left.drop_name is not None or right.drop_name is not None:
        drop_name = np.concatenate((drop_flags(left), drop_flags(right)))
    values = np.concatenate((left.values, right.values), axis=1)
    return Vector(left.labels.concat(right.labels), values, present, histograms, drop_name)


def present_mask(vector: Vector) -> BoolArray:
    """bool[step, series]: where there is a sample. Not to be written to."""
    return np.broadcast_to(np.True_, vector.values.shape) if vector.present is None else vector.present


def histogram_cells(vector: Vector) -> HistogramArray:
    """object[step, series]: the histograms, None elsewhere."""
    if vector.histograms is not None:
        return vector.histograms
    return np.full(vector.values.shape, None, dtype=object)


def drop_flags(vector: Vector) -> BoolArray:
    """bool[series]: whose name is to go at the end."""
    return np.zeros(vector.labels.size, dtype=np.bool_) if vector.drop_name is None else vector.drop_name


def float_samples(vector: Vector) -> BoolArray | None:
    """bool[step, series]: where there is a float sample; None if everywhere."""
    if vector.histograms is None:
        return vector.present
    floats: BoolArray = present_mask(vector) & (vector.histograms == None)  # noqa: E711  cell by cell
    return floats


def is_identity(rows: IntArray, size: int) -> bool:
    """Whether `rows` are all of 0..size-1 in order."""
    return len(rows) == size and bool((rows == np.arange(size)).all())


def as_slice(positions: IntArray) -> IntArray | slice:
    """Positions that follow one another as a slice: that makes a view where an array would make a copy."""
    first, end = int(positions[0]), int(positions[-1]) + 1
    is_run = end - first == len(positions) and bool((np.diff(positions) == 1).all())
    return slice(first, end) if is_run else positions
