"""Why an answer is empty, told of a server that can't tell by itself: what the query reads is fetched."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from miniprom.recording.capture import Ask, Capture, selector_text
from miniprom.recording.record import lookback_of
from miniprom.recording.replay import store_of
from query import Engine, EngineOptions, QueryWindow
from query.execution.reads import Read
from query.language import EVERYTHING, parse
from query.language.ast import Aggregation
from query.language.printer import format_expr
from query.why import Diagnosis
from tsdb import METRIC_NAME, Labels, Store, labels_from

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_AROUND_MS: Final = (_HOUR_MS, 6 * _HOUR_MS, _DAY_MS)
"""How far before and after the time in question samples are looked for."""
_MOST_SERIES: Final = 10_000
_LONG_AGO_MS: Final = 0


def diagnosis_of(ask: Ask, query: str, window: QueryWindow) -> Diagnosis:
    """What is found. Raises `ParseError`, `PlanError`, `RecordingError`, and what `ask` raises."""
    lookback_ms = lookback_of(ask)
    engine = Engine(EngineOptions(lookback_ms=lookback_ms, parser=EVERYTHING))
    capture = Capture(ask, lookback_ms)
    relatives: set[Labels] = set()
    for read in engine.reads(query, window):
        if not _read(capture, read):
            relatives |= _relatives(ask, read)
    samples = capture.samples()
    store = store_of(samples)
    _remember(store, relatives - samples.keys())
    return engine.why(store.snapshot(window.end_ms), query, window)


def _read(capture: Capture, read: Read) -> bool:
    """Fetch what a selector reads, a range with what is before it; or if that is nothing, what is near."""
    wider = read if read.newest_at_ms is not None else replace(read, start_ms=read.start_ms - _HOUR_MS)
    if capture.read(wider):
        return True
    around = (
        replace(read, start_ms=read.start_ms - far_ms, end_ms=read.end_ms + far_ms, newest_at_ms=None)
        for far_ms in _AROUND_MS
    )
    return any(capture.read(each) for each in around)


def _relatives(ask: Ask, read: Read) -> set[Labels]:
    """Series that some of the matchers select, or else the names of all metrics."""
    named = tuple(matcher for matcher in read.matchers if matcher.name == METRIC_NAME)
    end = f"{read.end_ms / 1000:.3f}"
    if not named:
        # Which values the labels have together: far less than all series.
        labels = tuple(sorted({matcher.name for matcher in read.matchers}))
        query = format_expr(Aggregation("group", parse(f'{{{METRIC_NAME}!=""}}'), grouping=labels))
        return {labels_from(each["metric"]) for each in ask("query", {"query": query, "time": end})["result"]}
    start = f"{(read.start_ms - _DAY_MS) / 1000:.3f}"
    times = {"start": start, "end": end, "limit": str(_MOST_SERIES)}
    series = ask("series", {"match[]": selector_text(named), **times})
    if not series:
        series = [{METRIC_NAME: name} for name in ask(f"label/{METRIC_NAME}/values", {})]
    return {labels_from(labels) for labels in series}


def _remember(store: Store, series: Iterable[Labels]) -> None:
    """Let the store know series whose samples were not fetched: one sample long ago."""
    ids = store.series_ids(sorted(series))
    store.append(ids, _LONG_AGO_MS, np.zeros(len(ids)))
