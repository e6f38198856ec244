"""What functions answer of one native histogram, and what is to be told about it."""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from query.kernels.native_histogram import NanEffect, average, fraction, quantile, variance
from tsdb.histogram import FloatHistogram

_QUANTILE_REMARKS: Final = {
    NanEffect.NONE: None,
    NanEffect.RESULT_IS_NAN: "input to histogram_quantile has NaN observations, result is NaN",
    NanEffect.SKEWED: "input to histogram_quantile has NaN observations, result is skewed higher",
}
_FRACTION_REMARKS: Final = {
    NanEffect.NONE: None,
    NanEffect.SKEWED: (
        "input to histogram_fraction has NaN observations, which are excluded from all fractions"
    ),
}


class Estimate(NamedTuple):
    """A value, and what is to be told about it, if anything."""

    value: float
    remark: str | None = None


def native_quantile(q: float, histogram: FloatHistogram) -> Estimate:
    """-Inf below 0, +Inf above 1, NaN for NaN and without observations."""
    value, effect = quantile(q, histogram)
    return Estimate(value, _QUANTILE_REMARKS[effect])


def native_fraction(lower: float, upper: float, histogram: FloatHistogram) -> Estimate:
    """The share of observations between two limits: 0 if they are the wrong way round, NaN if one is NaN."""
    value, effect = fraction(lower, upper, histogram)
    return Estimate(value, _FRACTION_REMARKS[effect])


def _standard_deviation(histogram: FloatHistogram) -> float:
    squared = variance(histogram)
    return math.sqrt(squared) if squared >= 0 else math.nan


STATISTICS: Final[dict[str, Callable[[FloatHistogram], float]]] = {
    "histogram_avg": average,
    "histogram_count": lambda histogram: histogram.count,
    "histogram_stddev": _standard_deviation,
    "histogram_stdvar": variance,
    "histogram_sum": lambda histogram: histogram.sum,
}
"""Functions of native histograms alone."""
