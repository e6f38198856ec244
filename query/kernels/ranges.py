"""The table of functions over ranges: what PromQL calls them, and what they need."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from query.kernels import over_time, rates, trends
from query.kernels.windows import Windows
from tsdb.sample import FloatArray


@dataclass(frozen=True)
class RangeKernel:
    """`compute(windows, args)` gives float64[step, column]; `args` are the scalar arguments, float64[step].

    A window with fewer than `min_samples` has no result. Functions that return a sample as it is keep
    the metric's name.
    """

    compute: Callable[[Windows, Sequence[FloatArray]], FloatArray]
    min_samples: int = 1
    keeps_name: bool = False


RANGE_KERNELS: Final[Mapping[str, RangeKernel]] = {
    "avg_over_time": RangeKernel(over_time.avg_over_time),
    "changes": RangeKernel(trends.changes),
    "count_over_time": RangeKernel(over_time.count_over_time),
    "delta": RangeKernel(rates.delta, min_samples=2),
    "deriv": RangeKernel(trends.deriv, min_samples=2),
    "double_exponential_smoothing": RangeKernel(trends.double_exponential_smoothing, min_samples=2),
    "first_over_time": RangeKernel(over_time.first_over_time, keeps_name=True),
    "idelta": RangeKernel(rates.idelta, min_samples=2),
    "increase": RangeKernel(rates.increase, min_samples=2),
    "irate": RangeKernel(rates.irate, min_samples=2),
    "last_over_time": RangeKernel(over_time.last_over_time, keeps_name=True),
    "mad_over_time": RangeKernel(over_time.mad_over_time),
    "max_over_time": RangeKernel(over_time.max_over_time),
    "min_over_time": RangeKernel(over_time.min_over_time),
    "predict_linear": RangeKernel(trends.predict_linear, min_samples=2),
    "present_over_time": RangeKernel(over_time.present_over_time),
    "quantile_over_time": RangeKernel(over_time.quantile_over_time),
    "rate": RangeKernel(rates.rate, min_samples=2),
    "resets": RangeKernel(trends.resets),
    "stddev_over_time": RangeKernel(over_time.stddev_over_time),
    "stdvar_over_time": RangeKernel(over_time.stdvar_over_time),
    "sum_over_time": RangeKernel(over_time.sum_over_time),
    "ts_of_first_over_time": RangeKernel(over_time.ts_of_first_over_time),
    "ts_of_last_over_time": RangeKernel(over_time.ts_of_last_over_time),
    "ts_of_max_over_time": RangeKernel(over_time.ts_of_max_over_time),
    "ts_of_min_over_time": RangeKernel(over_time.ts_of_min_over_time),
}
