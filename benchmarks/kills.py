"""Kill a server that is written to, again and again, and compare what it holds with what it acknowledged.

`BENCHMARK_KILLS=200 python -m benchmarks kills`: each life of the server ends with SIGKILL at a random
moment, while it is written to and one snapshot after the other replaces its log. Its rows are a
millisecond apart, in a stretch of time of its own; a row that was answered with 204 has to be there after
the next start, to the sample, and one that was not answered is there whole or not at all.
"""

import contextlib
import json
import os
import random
import signal
import tempfile
import threading
import time
import urllib.error
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np

from benchmarks.data import Dataset, remote_write_requests
from benchmarks.measure import print_table
from benchmarks.programs import DURABLE_MINIPROM, Running, running_in
from benchmarks.queries import REMOTE_WRITE_HEADERS
from tsdb import labels_from

KILLS_VARIABLE: Final = "BENCHMARK_KILLS"
_SERVER: Final = replace(
    DURABLE_MINIPROM,
    arguments=lambda *where: [*DURABLE_MINIPROM.arguments(*where), "--web.enable-admin-api"],
)
_SNAPSHOT: Final = "/api/v1/admin/tsdb/delete_series?match[]=none"  # is answered once there is one
_SERIES: Final = 20
_LABELS: Final = [labels_from({"__name__": "kills", "number": str(number)}) for number in range(_SERIES)]
_LIFE_MS: Final = 10_000
_LONGEST_LIFE_SECONDS: Final = 0.5
_CHECKED_LIVES: Final = 10


def main(*, seed: int = 1) -> None:
    """20 kills by default. Raises `AssertionError` at the first sample that is lost or invented."""
    kills = int(os.environ.get(KILLS_VARIABLE, "20"))
    chance = random.Random(seed)
    first_ms = int(time.time() * 1000) - kills * _LIFE_MS
    acknowledged: list[int] = []  # rows, by life
    with tempfile.TemporaryDirectory() as folder:
        for life in range(kills):
            with running_in(Path(folder), _SERVER) as started:
                _check(started, first_ms, acknowledged, lives=_CHECKED_LIVES)
                acknowledged.append(_live(started, first_ms + life * _LIFE_MS, chance))
        with running_in(Path(folder), _SERVER) as started:
            _check(started, first_ms, acknowledged, lives=kills)
    header = ["kills", "samples acknowledged", "lost", "invented"]
    print_table("Killed while written to", header, [[str(kills), str(sum(acknowledged) * _SERIES), "0", "0"]])


def _live(started: Running, first_ms: int, chance: random.Random) -> int:
    """Write rows until the server is killed; how many it acknowledged."""
    killer = threading.Timer(
        chance.random() * _LONGEST_LIFE_SECONDS, started.process.send_signal, [signal.SIGKILL]
    )
    killer.start()
    threading.Thread(target=_make_snapshots, args=(started,), daemon=True).start()
    try:
        for row in range(_LIFE_MS):
            times_ms = np.array([first_ms + row])
            [body] = remote_write_requests(Dataset(_LABELS, times_ms, _values(row)[None, :]))
            started.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
    except (urllib.error.URLError, OSError):
        return row
    finally:
        killer.join()
        started.process.wait()
    raise AssertionError("the server outlived its time")


def _make_snapshots(started: Running) -> None:
    with contextlib.suppress(urllib.error.URLError, OSError):
        while True:
            started.post(_SNAPSHOT, b"", {})


def _check(started: Running, first_ms: int, acknowledged: list[int], *, lives: int) -> None:
    """The samples of the newest lives are those acknowledged, and perhaps the row after them."""
    for life in range(max(len(acknowledged) - lives, 0), len(acknowledged)):
        end_ms = first_ms + (life + 1) * _LIFE_MS - 1
        query = f"/api/v1/query?query={quote(f'kills[{_LIFE_MS}ms]')}&time={end_ms / 1000:.3f}"
        for series in json.loads(started.get(query))["data"]["result"] or [None] * _SERIES:
            found = [] if series is None else series["values"]
            rows = acknowledged[life]
            assert len(found) in (rows, rows + 1), (
                f"life {life}: {rows} rows acknowledged, {len(found)} found"
            )
            for row, (time_seconds, value) in enumerate(found):
                expected = _values(row)[int(series["metric"]["number"])]
                assert round(time_seconds * 1000) == end_ms + 1 - _LIFE_MS + row, f"life {life}, row {row}"
                assert float(value) == expected, f"life {life}, row {row}: {value} instead of {expected}"


def _values(row: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.arange(_SERIES) / 8 + row // 3
