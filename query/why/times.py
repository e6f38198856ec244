"""Why series that are stored have no sample where a selector looks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from query.execution.context import EvalContext
from query.execution.selectors import reference_ms
from query.language import ast
from query.language.literals import format_duration_ms
from query.plan.nodes import InstantSelect, RangeNode, RangeSelect, SubqueryRange
from query.why.finding import Finding, Kind, counted, moment
from query.why.matchers import matcher_causes, stored_series
from tsdb import Selection
from tsdb.sample import FOREVER_MS, NEVER_MS, BoolArray, IntArray, is_absent, is_stale

_CELLS_OF_A_SLAB = 1 << 20
"""So much is read of series that share timestamps: what ends them ends most of them."""
_RECENT_SAMPLES = 100
_SAMPLES_FOR_RANGE = 4


@dataclass(frozen=True)
class Around:
    """Samples of all series of a selection next to a time: times in milliseconds, None if there are none.

    `stale_ms` is when the series of the last sample was marked stale; `interval_ms` lies between most of its
    samples.
    """

    last_ms: int | None
    stale_ms: int | None
    next_ms: int | None
    interval_ms: int | None


def selector_causes(node: InstantSelect | RangeSelect, context: EvalContext) -> Iterator[Finding]:
    """Why a selector finds no sample. Requires: it finds none at any step."""
    selector = node.source.selector if isinstance(node, RangeSelect) else node.source
    snapshot = context.snapshot
    series = stored_series(snapshot, node.matchers).size
    if not series:
        yield from matcher_causes(selector, node.matchers, snapshot)
        return
    times_ms = reference_ms(node, context)
    first_ms, end_ms = int(times_ms[0]), int(times_ms[-1])
    where = f"at {moment(end_ms)}" if first_ms == end_ms else f"from {moment(first_ms)} to {moment(end_ms)}"
    if selector.at is not None or selector.offset is not None:
        where += ", which @ and offset point to"
    known = counted(series, "series is stored", "series are stored")
    oldest_ms = snapshot.oldest_ms
    if oldest_ms is not None and end_ms < oldest_ms:
        kept = f"nothing from before {moment(oldest_ms)} is kept any more"
        yield Finding.of(Kind.NOT_KEPT, node.source, f"{known}, but not {where}: {kept}")
        return
    around = samples_around(snapshot.select(node.matchers, NEVER_MS, FOREVER_MS), end_ms)
    if around.last_ms is not None:
        kind, what = _after_the_last(node, around, around.last_ms, first_ms, context.options.lookback_ms)
        following = f"; the next is from {moment(around.next_ms)}" if around.next_ms is not None else ""
    elif around.next_ms is not None:
        kind, what = Kind.NO_SAMPLE, f"the first sample is from {moment(around.next_ms)}"
        following = f", {format_duration_ms(around.next_ms - end_ms)} later"
    else:
        kind, what, following = Kind.STALE, "they have stale markers only", ""
    text = f"{known}, but none has a sample {where}: {what}{following}"
    yield Finding.of(kind, node.source, text)


def _after_the_last(
    node: InstantSelect | RangeSelect, around: Around, last_ms: int, first_ms: int, lookback_ms: int
) -> tuple[Kind, str]:
    """What ended the samples before the steps, the first of which is at `first_ms`; or what lies between."""
    waited_ms = first_ms - last_ms
    age = f", {format_duration_ms(waited_ms)} earlier" if waited_ms > 0 else ""
    last = f"the last sample is from {moment(last_ms)}{age}"
    if isinstance(node, RangeSelect):
        length = format_duration_ms(node.range_ms)
        interval_ms = around.interval_ms or 0
        goes_on = around.stale_ms is None and waited_ms < 2 * interval_ms
        if goes_on and interval_ms >= node.range_ms:
            return Kind.SHORT_RANGE, f"{last}, before the range; {_range_advice(interval_ms)}"
        return Kind.NO_SAMPLE, f"{last}, before the range of {length}"
    if node.source.extension is not None and 0 <= waited_ms < lookback_ms:
        return Kind.WRONG_SAMPLES, "smoothed gives nothing between floats and native histograms"
    if around.stale_ms is not None:
        ended = f"stale since {moment(around.stale_ms)} (the target, or the series in it, went away)"
        return Kind.STALE, f"{ended}; {last}"
    return Kind.NO_SAMPLE, f"{last}, and a query looks back {format_duration_ms(lookback_ms)}"


def too_few_samples(call: ast.Call, ranges: RangeNode, context: EvalContext) -> Finding:
    """A function that needs two samples, and a range in which there never is more than one."""
    length = format_duration_ms(ranges.range_ms)
    text = f"{call.function}() needs two samples, and no series has more than one in a range of {length}"
    if isinstance(ranges, SubqueryRange):
        text += f": the subquery is evaluated every {format_duration_ms(ranges.step_ms)}"
    else:
        selection = context.snapshot.select(ranges.matchers, NEVER_MS, FOREVER_MS)
        interval_ms = samples_around(selection, int(reference_ms(ranges, context)[-1])).interval_ms
        text += f": {_range_advice(interval_ms)}" if interval_ms else ": there has been no other yet"
    return Finding.of(Kind.SHORT_RANGE, ranges.source, text)


def _range_advice(interval_ms: int) -> str:
    """How long a range over samples so far apart should be."""
    wanted = format_duration_ms(_SAMPLES_FOR_RANGE * interval_ms)
    return f"samples are {format_duration_ms(interval_ms)} apart: write [{wanted}]"


def samples_around(selection: Selection, time_ms: int) -> Around:
    """What of a selection stands next to a time."""
    last: _Column | None = None
    next_ms = None
    for group in _groups(selection):
        row = int(np.searchsorted(group.timestamps_ms, time_ms, side="right"))
        before = np.flatnonzero(group.is_sample[:row].any(axis=1))
        after = np.flatnonzero(group.is_sample[row:].any(axis=1))
        if len(after):
            first_ms = int(group.timestamps_ms[row + after[0]])
            next_ms = first_ms if next_ms is None else min(next_ms, first_ms)
        if len(before) and (last is None or group.timestamps_ms[before[-1]] > last.samples_ms[-1]):
            last = group.column(int(group.is_sample[before[-1]].argmax()), time_ms)
    if last is None:
        return Around(None, None, next_ms, None)
    last_ms = int(last.samples_ms[-1])
    ended = last.stale_ms[last.stale_ms > last_ms]
    gaps = np.diff(last.samples_ms[-_RECENT_SAMPLES:])
    return Around(
        last_ms,
        int(ended[0]) if len(ended) else None,
        next_ms,
        int(np.median(gaps)) if len(gaps) else None,
    )


@dataclass(frozen=True)
class _Column:
    """The samples and the stale markers of one series up to a time."""

    samples_ms: IntArray
    stale_ms: IntArray


@dataclass(frozen=True)
class _Group:
    """Where series that share timestamps have samples, and stale markers: bool[row, series]."""

    timestamps_ms: IntArray
    is_sample: BoolArray
    is_stale: BoolArray

    def column(self, position: int, until_ms: int) -> _Column:
        times = self.timestamps_ms
        known = times <= until_ms
        return _Column(times[known & self.is_sample[:, position]], times[known & self.is_stale[:, position]])


def _groups(selection: Selection) -> Iterator[_Group]:
    """The floats of a selection, slab by slab; native histograms with what ended them, series by series."""
    ends = {each.position: each.timestamps_ms[:0] for each in selection.histograms}
    for slab in selection.slabs:
        columns = slice(0, max(1, _CELLS_OF_A_SLAB // len(slab.timestamps_ms)))
        values = slab.read(columns)
        stale = is_stale(values)
        yield _Group(slab.timestamps_ms, ~(stale | is_absent(values)), stale)
        for column, position in enumerate(slab.series[columns].tolist()):
            if position in ends:
                ends[position] = slab.timestamps_ms[stale[:, column]]
    for each in selection.histograms:
        times_ms = np.union1d(each.timestamps_ms, ends[each.position])
        is_sample = np.isin(times_ms, each.timestamps_ms)[:, None]
        yield _Group(times_ms, is_sample, ~is_sample)
