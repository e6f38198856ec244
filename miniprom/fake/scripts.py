"""The `script` form of loading: the `load` statements of a test script. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from miniprom.fake.batch import Batch, Block, MixedSeries
from miniprom.fake.errors import FakeError
from miniprom.fake.fields import Fields
from miniprom.promqltest import ScriptError, parse_script
from miniprom.promqltest.custom_buckets import native_histograms
from miniprom.promqltest.errors import NotationError
from miniprom.promqltest.histogram_notation import StatedHistogram
from miniprom.promqltest.series import SeriesLine
from miniprom.promqltest.statements import Load
from tsdb import ABSENT
from tsdb.sample import IntArray

_NAME: Final = "script"


def read_script(fields: Fields) -> Batch:
    """The samples of all `load` statements, of which one value stands at `end`, and none behind it.

    Raises `FakeError`.
    """
    loads = list(_loads(fields.text("script")))
    reach_ms = max((_reach_ms(load) for load in loads), default=0)
    if "start" in fields and "end" in fields:
        raise FakeError('load: expected one of "start" and "end" beside "script"')
    start_ms = fields.time_ms("start", fields.time_ms("end", fields.now_ms) - reach_ms)
    batch = Batch()
    for load in loads:
        _add(batch, load, start_ms)
    return batch


def _loads(text: str) -> Iterator[Load]:
    try:
        statements = parse_script(text, _NAME).statements
    except ScriptError as error:
        raise FakeError(str(error)) from error
    for statement in statements:
        if not isinstance(statement, Load):
            what = type(statement).__name__.lower()
            raise FakeError(f"{_NAME}:{statement.line}: expected load statements only, got {what}")
        if statement.interval_ms <= 0:
            raise FakeError(f"{_NAME}:{statement.line}: expected an interval of at least a millisecond")
        yield statement


def _reach_ms(load: Load) -> int:
    """From the first value to the last."""
    rows = max((len(loaded.series.values) for loaded in load.series), default=1)
    return max(rows - 1, 0) * load.interval_ms


def _add(batch: Batch, load: Load, start_ms: int) -> None:
    # The last line of a series wins, as upstream.
    series = {loaded.series.labels: loaded for loaded in load.series}
    lines = [loaded.series for loaded in series.values()]

    def times_ms(rows: int) -> IntArray:
        return start_ms + np.arange(rows, dtype=np.int64) * load.interval_ms

    plain = [line for line in lines if not _has_histograms(line)]
    rows = max((len(line.values) for line in plain), default=0)
    if rows:
        batch.blocks.append(_block(plain, times_ms(rows)))
    try:
        converted = native_histograms(lines) if load.with_custom_buckets else []
    except NotationError as error:
        raise FakeError(f"{_NAME}:{load.line}: {error}") from error
    mixed = [line for line in lines if _has_histograms(line)] + converted
    batch.mixed += [_mixed(line, times_ms(len(line.values)).tolist()) for line in mixed]
    for loaded in series.values():
        if loaded.start_offsets_ms is not None:
            times = times_ms(len(loaded.start_offsets_ms)).tolist()
            stated = [
                (time_ms, time_ms + offset_ms)
                for time_ms, offset_ms, value in zip(
                    times, loaded.start_offsets_ms, loaded.series.values, strict=True
                )
                if value is not None and offset_ms is not None
            ]
            batch.starts.append(
                (loaded.series.labels, [time_ms for time_ms, _ in stated], [start for _, start in stated])
            )


def _has_histograms(line: SeriesLine) -> bool:
    return any(isinstance(value, StatedHistogram) for value in line.values)


def _block(lines: Iterable[SeriesLine], times_ms: IntArray) -> Block:
    columns = []
    for line in lines:
        column = np.full(len(times_ms), ABSENT)
        present = [(row, value) for row, value in enumerate(line.values) if isinstance(value, float)]
        column[[row for row, _ in present]] = [value for _, value in present]
        columns.append(column)
    return Block([line.labels for line in lines], times_ms, np.stack(columns, axis=1))


def _mixed(line: SeriesLine, times_ms: Iterable[int]) -> MixedSeries:
    samples = [
        (time_ms, value.histogram if isinstance(value, StatedHistogram) else value)
        for time_ms, value in zip(times_ms, line.values, strict=True)
        if value is not None
    ]
    return MixedSeries(line.labels, [time_ms for time_ms, _ in samples], [value for _, value in samples])
