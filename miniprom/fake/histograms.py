"""The histogram generator: how many observations of a distribution each bucket has by each time.

Counts are what is to be expected, so that they need no seed; those of classic ones are rounded. Pure.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from miniprom.fake.errors import FakeError
from miniprom.fake.fields import Fields
from tsdb.histogram import Buckets, FloatHistogram, exponential_bound
from tsdb.numbers import format_number
from tsdb.sample import FloatArray, IntArray

_CLASSIC_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Those of Prometheus's clients."""
_LARGEST_EXPONENT: Final = 64
"""Native buckets reach from 2**-64 to 2**64; what is nearer to zero is counted there."""
_SMALLEST_SHARE: Final = 1e-9
"""Buckets with less of all observations are left empty."""
_LARGEST_SCHEMA: Final = 8
_SMALLEST_SCHEMA: Final = -4


@dataclass(frozen=True)
class Distribution:
    """`below(x)` is the share of observations of at most x."""

    below: Callable[[float], float]
    mean: float


@dataclass(frozen=True)
class ClassicHistogram:
    """Series of counts: one a bucket, beside the sum and the count."""

    distribution: Distribution
    per_second: float
    buckets: tuple[float, ...]

    def series(self, times_ms: IntArray) -> Iterator[tuple[str, dict[str, str], FloatArray]]:
        """Suffix of the name, labels, and float64[row] of each series."""
        expected = self.per_second * (times_ms - times_ms[0]) / 1000
        for bound in self.buckets:
            yield "_bucket", {"le": format_number(bound)}, _whole(expected * self.distribution.below(bound))
        count = _whole(expected)
        yield "_bucket", {"le": "+Inf"}, count
        yield "_sum", {}, count * self.distribution.mean
        yield "_count", {}, count


@dataclass(frozen=True)
class NativeHistogram:
    """One series of native histograms."""

    distribution: Distribution
    per_second: float
    schema: int

    def histograms(self, times_ms: IntArray) -> list[FloatHistogram]:
        """One a time. Counts are not rounded, or buckets that lose one to a neighbour would look reset."""
        reach = math.ceil(_LARGEST_EXPONENT * 2.0**self.schema)
        indexes = np.arange(-reach, reach + 1)
        bounds = [exponential_bound(int(index), self.schema) for index in indexes]
        above = np.array([self.distribution.below(bound) for bound in bounds])
        below = np.array([self.distribution.below(-bound) for bound in bounds])
        shares = np.concatenate([[above[0] - below[0]], np.diff(above), -np.diff(below)])
        shares[shares < _SMALLEST_SHARE] = 0.0
        shares /= shares.sum()
        zero, (positive, negative) = shares[0], np.split(shares[1:], 2)
        expected = self.per_second * (times_ms - times_ms[0]) / 1000
        return [
            FloatHistogram(
                schema=self.schema,
                count=count,
                sum=count * self.distribution.mean,
                zero_threshold=bounds[0],
                zero_count=count * zero,
                positive=Buckets(indexes[1:], count * positive).compact(),
                negative=Buckets(indexes[1:], count * negative).compact(),
            )
            for count in expected.tolist()
        ]


def read_histogram(value: object, where: str, now_ms: int) -> ClassicHistogram | NativeHistogram:
    """The histogram that an object describes. Raises `FakeError`."""
    parameters = {name for names, _ in _DISTRIBUTIONS.values() for name in names}
    known = ("generator", "distribution", "per_second", "buckets", "native", "schema", *parameters)
    fields = Fields(value, where, now_ms, known)
    kind = fields.one_of("distribution", _DISTRIBUTIONS)
    names, make = _DISTRIBUTIONS[kind]
    for name in parameters - set(names):
        if name in fields:
            raise FakeError(f"{where}: a {kind} distribution has {' and '.join(names)}, but no {name!r}")
    distribution = make(fields)
    per_second = fields.number("per_second", 1.0)
    if not 0 <= per_second < math.inf:
        raise fields.wrong("per_second", "a number of at least 0")
    if not fields.flag("native"):
        return ClassicHistogram(distribution, per_second, _bounds(fields))
    schema = fields.whole("schema", 3, least=_SMALLEST_SCHEMA)
    if schema > _LARGEST_SCHEMA:
        raise fields.wrong("schema", f"a whole number up to {_LARGEST_SCHEMA}")
    return NativeHistogram(distribution, per_second, schema)


def _bounds(fields: Fields) -> tuple[float, ...]:
    bounds = sorted(set(fields.numbers("buckets", _CLASSIC_BUCKETS)))
    if any(math.isnan(bound) for bound in bounds):
        raise fields.wrong("buckets", "a list of numbers")
    return tuple(bound for bound in bounds if bound != math.inf)


def _normal(fields: Fields) -> Distribution:
    mean, deviation = fields.number("mean"), _positive(fields, "deviation")
    return Distribution(lambda x: _normal_below((x - mean) / deviation), mean)


def _lognormal(fields: Fields) -> Distribution:
    median, sigma = _positive(fields, "median"), _positive(fields, "sigma")
    middle = math.log(median)
    return Distribution(
        lambda x: _normal_below((math.log(x) - middle) / sigma) if x > 0 else 0.0,
        median * math.exp(sigma * sigma / 2),
    )


def _uniform(fields: Fields) -> Distribution:
    low, high = fields.number("low"), fields.number("high")
    if not low < high:
        raise fields.wrong("high", "a number greater than low")
    return Distribution(lambda x: min(max((x - low) / (high - low), 0.0), 1.0), (low + high) / 2)


def _exponential(fields: Fields) -> Distribution:
    mean = _positive(fields, "mean")
    return Distribution(lambda x: -math.expm1(-x / mean) if x > 0 else 0.0, mean)


_DISTRIBUTIONS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Fields], Distribution]]]] = {
    "normal": (("mean", "deviation"), _normal),
    "lognormal": (("median", "sigma"), _lognormal),
    "uniform": (("low", "high"), _uniform),
    "exponential": (("mean",), _exponential),
}


def _positive(fields: Fields, name: str) -> float:
    value = fields.number(name)
    if not 0 < value < math.inf:
        raise fields.wrong(name, "a number greater than 0")
    return value


def _normal_below(deviations: float) -> float:
    return math.erfc(-deviations / math.sqrt(2)) / 2


def _whole(counts: FloatArray) -> FloatArray:
    """Rounded half up, which never lets a larger expectation have the smaller count."""
    return np.floor(counts + 0.5)
