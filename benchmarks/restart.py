"""How long a program that holds two hours of samples takes to start again, beside Prometheus."""

import os
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.data import remote_write_requests
from benchmarks.measure import print_table, times
from benchmarks.programs import DURABLE_MINIPROM, PROMETHEUS, Program, running_in
from benchmarks.queries import INTERVAL_MS, REMOTE_WRITE_HEADERS, ROWS
from benchmarks.storage import SERIES_VARIABLE, check, mixed

REPEAT: Final = 3
_ENDS: Final = {
    "empty": signal.SIGKILL,
    "after kill -9": signal.SIGKILL,
    "after a clean stop": signal.SIGTERM,
}


def main() -> None:
    """Fill, end and start each program; `BENCHMARK_SERIES` for other than 10,000 series."""
    series = int(os.environ.get(SERIES_VARIABLE, "10000"))
    programs = [program for program in (DURABLE_MINIPROM, PROMETHEUS) if program.is_installed]
    found = {program.name: _restarts(program, series) for program in programs}
    rows = []
    for end in _ENDS:
        seconds, cpu_seconds = found[DURABLE_MINIPROM.name][end]
        for name, starts in found.items():
            wall, cpu = starts[end]
            cells = [f"{wall:.2f} s", f"{cpu:.2f} s", times(seconds, wall), times(cpu_seconds, cpu)]
            rows.append([f"{end}: {name}", *cells])
    header = ["", "until ready", "CPU", "until ready / ours", "CPU / ours"]
    print_table(f"Starting with {series} series x {ROWS} rows", header, rows)


def _restarts(program: Program, series: int) -> dict[str, tuple[float, float]]:
    """Seconds and CPU seconds until ready, by the way the program ended before."""
    end_ms = int(time.time() * 1000) // INTERVAL_MS * INTERVAL_MS
    data = mixed(series, end_ms=end_ms, rows=ROWS, interval_ms=INTERVAL_MS)
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for end, number in _ENDS.items():
            starts = []
            for _ in range(REPEAT + 1):  # the first follows the end before
                with running_in(folder, program) as started:
                    starts.append((started.ready_seconds, started.cpu_seconds()))
                    if end != "empty":
                        check(started, data)
                    elif len(starts) > REPEAT:
                        for body in remote_write_requests(data):
                            started.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
                    started.process.send_signal(number)
            wall, cpu = zip(*starts[1:], strict=True)
            found[end] = statistics.median(wall), statistics.median(cpu)
    return found
