"""A child process that writes to a folder until it is killed, and what it has written up to which step.

    python -m tests.tsdb.crashing FOLDER SEED LIFE

Step n of a life is the same for all who ask. The child tells on standard output, a line each, that a step
is done: it is acknowledged, and has to be there whatever happens.
"""

import os
import random
import sys
import threading
from pathlib import Path

import numpy as np

from tsdb import Matcher, MatchOp, labels_from
from tsdb.disk import Disk
from tsdb.histogram import Buckets, FloatHistogram
from tsdb.rewriting import delete
from tsdb.sample import FloatArray, IntArray
from tsdb.wal_store import LoggedStore

SERIES = [labels_from({"__name__": "m", "i": str(number)}) for number in range(24)]
STEP_MS = 10
LIFE_MS = 10_000_000

Model = dict[int, dict[int, float]]
"""By series and time; a histogram as the negative of its count."""


class Step:
    """One step: rows of floats, a histogram, a deletion, or a checkpoint beside the next steps."""

    def __init__(self, seed: int, life: int, number: int) -> None:
        chance = random.Random(f"{seed} {life} {number}")
        self.time_ms = life * LIFE_MS + number * STEP_MS
        self.kind = chance.choices(("row", "rows", "histogram", "delete", "checkpoint"), (60, 20, 8, 4, 8))[0]
        first = chance.randrange(len(SERIES))
        self.members = list(range(first, min(first + chance.choice((1, 4, 24)), len(SERIES))))
        self.values = [[float(chance.randrange(3)) for _ in self.members] for _ in range(3)]
        self.deleted_ms = self.time_ms - chance.randrange(400), self.time_ms - chance.randrange(100)

    def rows(self) -> tuple[IntArray, FloatArray]:
        count = 3 if self.kind == "rows" else 1
        return self.time_ms + np.arange(count), np.array(self.values[:count])

    def apply(self, model: Model) -> None:
        """What the step does, to a dictionary."""
        member = self.members[0]
        if self.kind in ("row", "rows"):
            for time_ms, values in zip(*self.rows(), strict=True):
                for column, value in zip(self.members, values, strict=True):
                    model.setdefault(column, {})[int(time_ms)] = float(value)
        elif self.kind == "histogram":
            model.setdefault(member, {})[self.time_ms] = -1.0 - self.values[0][0]
        elif self.kind == "delete":
            start_ms, end_ms = self.deleted_ms
            held = model.get(member, {})
            model[member] = {time: value for time, value in held.items() if not start_ms <= time <= end_ms}

    def run(self, store: LoggedStore) -> None:
        """What the step does, to a store."""
        assert store.log
        if self.kind in ("row", "rows"):
            times_ms, values = self.rows()
            ids = store.series_ids([SERIES[member] for member in self.members])
            if self.kind == "row":
                store.append(ids, int(times_ms[0]), values[0])
            else:
                store.append_matrix(ids, times_ms, values)
        elif self.kind == "histogram":
            (series_id,) = store.series_ids([SERIES[self.members[0]]]).tolist()
            count = 1.0 + self.values[0][0]
            histogram = FloatHistogram(count=count, positive=Buckets.dense(0, (count,)))
            store.append_histograms(series_id, [self.time_ms], [histogram])
        elif self.kind == "delete":
            matcher = Matcher("i", MatchOp.EQUAL, str(self.members[0]))
            delete(store, [matcher], *self.deleted_ms, now_ms=self.time_ms)
            store.log.finish(store.log.begin(store, self.time_ms))


def live(folder: Path, seed: int, life: int) -> None:
    """Step after step, for good."""
    store = LoggedStore(retention_ms=None)
    store.open(Disk(), folder, 0, sync_each_write=True)
    assert store.log
    writing: threading.Thread | None = None
    number = 0
    while True:
        step = Step(seed, life, number)
        if step.kind in ("checkpoint", "delete") and writing:
            writing.join()  # one at a time, as the server has it
            writing = None
        if step.kind == "checkpoint":
            writing = threading.Thread(
                target=store.log.finish, args=(store.log.begin(store, 0),), daemon=True
            )
            writing.start()
        step.run(store)
        number += 1
        os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    live(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
