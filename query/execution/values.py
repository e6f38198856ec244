"""What a node of the plan evaluates to: all series at all steps at once."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from tsdb import LabelFrame
from tsdb.sample import BoolArray, FloatArray

HistogramArray: TypeAlias = NDArray[Any]
"""object[step, series]: a `tsdb.FloatHistogram`, or None where the sample is a float or missing."""


@dataclass(frozen=True)
class Vector:
    """An instant vector at every step. Immutable; arrays may be shared with other nodes and with the store.

    `values` is float64[step, series]. `present` says where there is a sample at all (None: everywhere),
    because NaN is a value. `histograms` is None unless some sample is a native histogram; where its cell is
    not None, that is the sample and `values` means nothing. `drop_name` is bool[series]: the name is to
    go at the end of the evaluation (None: no series').
    """

    labels: LabelFrame
    values: FloatArray
    present: BoolArray | None = None
    histograms: HistogramArray | None = None
    drop_name: BoolArray | None = None


@dataclass(frozen=True)
class Scalar:
    """One number a step: float64[step]."""

    values: FloatArray


@dataclass(frozen=True)
class String:
    """A string; only literals are."""

    text: str


Value: TypeAlias = Vector | Scalar | String
