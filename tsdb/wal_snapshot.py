"""A whole store as one file of the log."""

from collections.abc import Iterator

import numpy as np

from tsdb import wal_format
from tsdb.held import LabelTable
from tsdb.histogram import FloatHistogram
from tsdb.history import mixed
from tsdb.sample import FOREVER_MS, NEVER_MS
from tsdb.snapshot import Snapshot
from tsdb.wal_writer import LogWriter


def write_snapshot(snapshot: Snapshot) -> Iterator[bytes]:
    """The records, piece by piece. The ids are positions in the snapshot. From any thread."""
    selection = snapshot.select((), NEVER_MS, FOREVER_MS)
    writer = LogWriter(lambda positions: selection.labels.take(positions).series())
    yield wal_format.write_table(LabelTable.of(selection.labels))
    for ring in snapshot.rings(without=[one.position for one in selection.histograms]):
        yield wal_format.write_ring(ring)
    for position, samples in mixed(selection):
        yield b"".join(
            writer.histogram(position, time_ms, value)
            if isinstance(value, FloatHistogram)
            else writer.row(time_ms, np.array([position]), value)
            for time_ms, value in samples
        )
    for starts in selection.start_timestamps:
        yield writer.starts(starts.position, starts.timestamps_ms, starts.start_timestamps_ms)
    yield wal_format.record(wal_format.Kind.END)
