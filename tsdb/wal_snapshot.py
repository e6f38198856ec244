"""A whole store as one file of the log."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from tsdb import wal_format
from tsdb.histogram import FloatHistogram
from tsdb.sample import FOREVER_MS, NEVER_MS, FloatArray, is_absent
from tsdb.snapshot import Selection, Snapshot
from tsdb.wal_writer import LogWriter

_COLUMNS_AT_ONCE: Final = 1024
_ROWS_AT_ONCE: Final = 64


def write_snapshot(snapshot: Snapshot) -> Iterator[bytes]:
    """The records, piece by piece. The ids are positions in the snapshot. From any thread."""
    selection = snapshot.select((), NEVER_MS, FOREVER_MS)
    labels = selection.labels.series()
    writer = LogWriter(lambda ids: [labels[position] for position in ids.tolist()])
    with_histograms = {one.position for one in selection.histograms}
    for slab in selection.slabs:
        alone = np.isin(slab.series, list(with_histograms))
        plain = np.flatnonzero(~alone)
        for first in range(0, len(plain), _COLUMNS_AT_ONCE):
            columns = plain[first : first + _COLUMNS_AT_ONCE]
            for row in range(0, len(slab.timestamps_ms), _ROWS_AT_ONCE):
                rows = slice(row, row + _ROWS_AT_ONCE)
                bounds = slice(int(columns[0]), int(columns[-1]) + 1)
                values = slab.read(bounds, rows)[:, columns - columns[0]]
                yield b"".join(
                    writer.row(time_ms, slab.series[columns], np.ascontiguousarray(cells))
                    for time_ms, cells in zip(slab.timestamps_ms[rows].tolist(), values, strict=True)
                )
    for position in sorted(with_histograms):
        yield _mixed(writer, selection, position)
    for starts in selection.start_timestamps:
        yield writer.starts(starts.position, starts.timestamps_ms, starts.start_timestamps_ms)
    yield wal_format.record(wal_format.Kind.END)


def _mixed(writer: LogWriter, selection: Selection, position: int) -> bytes:
    """The samples of a series with native histograms, floats among them, in the order of time."""
    samples: list[tuple[int, FloatHistogram | FloatArray]] = []
    for one in selection.histograms:
        if one.position == position:
            samples += zip(one.timestamps_ms.tolist(), one.histograms, strict=True)
    for slab in selection.slabs:
        for column in np.flatnonzero(slab.series == position).tolist():
            values = slab.read(slice(column, column + 1))
            for row in np.flatnonzero(~is_absent(values[:, 0])).tolist():
                samples.append((int(slab.timestamps_ms[row]), values[row].copy()))
    samples.sort(key=lambda sample: sample[0])
    series = np.array([position])
    return b"".join(
        writer.histogram(position, time_ms, value)
        if isinstance(value, FloatHistogram)
        else writer.row(time_ms, series, value)
        for time_ms, value in samples
    )
