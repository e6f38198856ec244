"""Classic histogram series to native histograms with custom buckets (upstream util/convertnhcb)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from miniprom.promqltest.errors import NotationError
from miniprom.promqltest.histogram_notation import StatedHistogram
from miniprom.promqltest.series import SeriesLine, SeriesValue
from tsdb import METRIC_NAME, Labels, labels_from
from tsdb.histogram import CUSTOM_BUCKETS, Buckets, FloatHistogram


@dataclass
class _Classic:
    """The samples of one classic histogram at one time."""

    cumulative: dict[float, float] = field(default_factory=dict)
    count: float | None = None
    sum: float = 0.0


def native_histograms(series: Iterable[SeriesLine]) -> list[SeriesLine]:
    """One series for each classic histogram among `series`, named without the suffix.

    Raises `NotationError` where counts are not cumulative or contradict each other.
    """
    found: dict[Labels, dict[int, _Classic]] = {}
    for line in series:
        labels = dict(line.labels)
        base, _, suffix = labels.get(METRIC_NAME, "").rpartition("_")
        upper = _upper_bound(labels) if suffix == "bucket" else math.nan
        if suffix not in ("bucket", "count", "sum") or (suffix == "bucket" and math.isnan(upper)):
            continue
        labels[METRIC_NAME] = base
        labels.pop("le", None)
        at = found.setdefault(labels_from(labels), {})
        for position, value in enumerate(line.values):
            if isinstance(value, float):
                classic = at.setdefault(position, _Classic())
                if suffix == "bucket":
                    classic.cumulative.setdefault(upper, value)
                else:
                    setattr(classic, suffix, value)
    return [SeriesLine(labels, _values(at)) for labels, at in found.items()]


def _upper_bound(labels: Mapping[str, str]) -> float:
    try:
        return float(labels.get("le", ""))
    except ValueError:
        return math.nan


def _values(at: Mapping[int, _Classic]) -> tuple[SeriesValue, ...]:
    last = max(at, default=-1)
    return tuple(
        StatedHistogram(_native(at[position]), hint_is_stated=False) if position in at else None
        for position in range(last + 1)
    )


def _native(classic: _Classic) -> FloatHistogram:
    uppers = sorted(classic.cumulative)
    cumulative = [classic.cumulative[upper] for upper in uppers]
    count = classic.count if classic.count is not None else (cumulative[-1] if cumulative else 0.0)
    if not uppers or uppers[-1] != math.inf:
        uppers.append(math.inf)
        cumulative.append(count)
    counts = np.diff(cumulative, prepend=0.0)
    if (counts < 0).any():
        raise NotationError(f"the buckets of a classic histogram are not cumulative: {cumulative}")
    if cumulative[-1] != count:
        raise NotationError(f"the count of a classic histogram is {count}, its last bucket {cumulative[-1]}")
    return FloatHistogram(
        schema=CUSTOM_BUCKETS,
        count=count,
        sum=classic.sum,
        positive=Buckets.dense(0, counts).compact(),
        custom_values=tuple(uppers[:-1]),
    )
