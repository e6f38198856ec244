"""Putting a vector together from blocks of columns."""

import numpy as np

from query.execution.columns import is_identity
from query.execution.context import EvalContext
from query.execution.values import HistogramArray, Vector
from tsdb import LabelFrame
from tsdb.sample import BoolArray, FloatArray, IntArray


class VectorBuilder:
    """Collects columns of a vector; series without a sample at any step are left out.

    `labels` are the candidates; the result's series stand in the order in which they were added.
    """

    def __init__(self, labels: LabelFrame, context: EvalContext) -> None:
        context.reserve(context.step_count * labels.size)
        self._labels = labels
        self._values = np.empty((context.step_count, labels.size))
        self._present: BoolArray | None = None
        self._histograms: HistogramArray | None = None
        self._series = np.empty(labels.size, dtype=np.int64)
        self._filled = 0

    def add(self, series: IntArray, values: FloatArray, present: BoolArray | None) -> None:
        """Columns `series` (positions in the candidates). `values` and `present` are [step, column].

        `present` None: everywhere. It may also be bool[step, 1], for all columns alike.
        """
        if present is not None and present.all():
            present = None
        if present is not None:
            kept = present.any(axis=0)
            if not kept.all():
                if present.shape[1] != len(series):
                    return
                series, values, present = series[kept], values[:, kept], present[:, kept]
        place = slice(self._filled, self._filled + len(series))
        self._series[place] = series
        self._values[:, place] = values
        if present is not None and not present.all():
            if self._present is None:
                self._present = np.ones(self._values.shape, dtype=np.bool_)
            self._present[:, place] = present
        self._filled = place.stop

    def column(self, series: int) -> list[float | None]:
        """What a candidate has at each step, as far as it was added."""
        placed = np.flatnonzero(self._series[: self._filled] == series)
        if not len(placed):
            return [None] * len(self._values)
        values: list[float | None] = self._values[:, placed[0]].tolist()
        if self._present is None:
            return values
        present = self._present[:, placed[0]].tolist()
        return [value if there else None for value, there in zip(values, present, strict=True)]

    def overlay(
        self,
        series: int,
        where: BoolArray,
        present: BoolArray,
        values: FloatArray,
        histograms: HistogramArray,
    ) -> None:
        """Replace what one column has at the steps `where`, whether or not it was added before.

        bool[step], float64[step], object[step]: no sample, or a float, or a histogram where there is one.
        """
        if self._present is None:
            self._present = np.ones(self._values.shape, dtype=np.bool_)
        placed = np.flatnonzero(self._series[: self._filled] == series)
        if len(placed):
            column = int(placed[0])
        elif (where & present).any():
            column = self._filled
            self._filled += 1
            self._series[column] = series
            self._present[:, column] = False
        else:
            return
        if self._histograms is None:
            self._histograms = np.full(self._values.shape, None, dtype=object)
        self._present[where, column] = present[where]
        self._values[where, column] = values[where]
        self._histograms[where, column] = histograms[where]

    def build(self, drop_name: BoolArray | None = None) -> Vector:
        """The vector; `drop_name` is bool[candidate].

        Where there are histograms the series stand in the candidates' order, by which remarks are made.
        """
        series = self._series[: self._filled]
        filled: slice | IntArray = slice(None, self._filled)
        if self._histograms is not None:
            filled = np.argsort(series)
            series = series[filled]
        return Vector(
            self._labels if is_identity(series, self._labels.size) else self._labels.take(series),
            self._values[:, filled],
            None if self._present is None else self._present[:, filled],
            None if self._histograms is None else self._histograms[:, filled],
            None if drop_name is None else drop_name[series],
        )
