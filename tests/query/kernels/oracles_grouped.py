"""The slow, obvious twins of the grouped kernels: one group and one step at a time, in plain Python."""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final


def _sum(values: Sequence[float]) -> float:
    if not all(math.isfinite(value) for value in values):
        return sum(values)
    return _rounded(sum(map(Fraction, values), Fraction(0)))


def _avg(values: Sequence[float]) -> float:
    if not all(math.isfinite(value) for value in values):
        return sum(values) / len(values)
    return float(sum(map(Fraction, values), Fraction(0)) / len(values))


def _min(values: Sequence[float]) -> float:
    return min((value for value in values if not math.isnan(value)), default=math.nan)


def _max(values: Sequence[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _count(values: Sequence[float]) -> float:
    return float(len(values))


def _group(values: Sequence[float]) -> float:
    return 1.0


def _stdvar(values: Sequence[float]) -> float:
    if not all(math.isfinite(value) for value in values):
        return math.nan
    exact = [Fraction(value) for value in values]
    mean = sum(exact, Fraction(0)) / len(exact)
    return _rounded(sum(((value - mean) ** 2 for value in exact), Fraction(0)) / len(exact))


def _stddev(values: Sequence[float]) -> float:
    return math.sqrt(_stdvar(values))


def _rounded(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


REDUCTION_ORACLES: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "sum": _sum,
    "avg": _avg,
    "min": _min,
    "max": _max,
    "count": _count,
    "group": _group,
    "stdvar": _stdvar,
    "stddev": _stddev,
}


def _topk(values: Sequence[float], k: int) -> list[int]:
    return _first(values, k, lambda value: -value)


def _bottomk(values: Sequence[float], k: int) -> list[int]:
    return _first(values, k, lambda value: value)


def _limitk(values: Sequence[float], k: int) -> list[int]:
    return list(range(min(k, len(values))))


def _first(values: Sequence[float], k: int, key: Callable[[float], float]) -> list[int]:
    numbers = [index for index, value in enumerate(values) if not math.isnan(value)]
    nans = [index for index, value in enumerate(values) if math.isnan(value)]
    return sorted((*sorted(numbers, key=lambda index: key(values[index])), *nans)[:k])


SELECTION_ORACLES: Final[Mapping[str, Callable[[Sequence[float], int], list[int]]]] = {
    "topk": _topk,
    "bottomk": _bottomk,
    "limitk": _limitk,
}


def quantile(q: float, values: Sequence[float]) -> float:
    """By linear interpolation, NaN as the smallest value."""
    if math.isnan(q):
        return math.nan
    if not 0 <= q <= 1:
        return math.copysign(math.inf, q)
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    rank = q * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] * (1 - (rank - low)) + ordered[high] * (rank - low)
