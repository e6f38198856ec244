"""Many targets that come and go: CPU per sample, memory, missed scrapes, spread; beside Prometheus."""

import asyncio
import json
import statistics
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks.measure import print_table, times
from benchmarks.programs import MINIPROM, PROMETHEUS, Program, running

CHANGED_PERCENT: Final = 10
FLAPPING_PERCENT_A_MINUTE: Final = 5
_FLAPS_A_MINUTE: Final = 10
_SLOT_SECONDS: Final = 0.1
_WARM_SCRAPES: Final = 4
_LONGEST_WARM_UP: Final = 20


@dataclass(frozen=True)
class Load:
    """How much there is to scrape, and for how long it is measured, once it is warm."""

    targets: int = 1_000
    series: int = 500
    interval_seconds: int = 10
    seconds: float = 60.0


@dataclass(frozen=True)
class Figures:
    """What one program did. `jitter_seconds`: the 99th percentile of how far off its interval a scrape is."""

    cpu_seconds_per_million: float
    rss_bytes: int
    scrapes: int
    missed: int
    jitter_seconds: float
    busiest: float
    """Scrapes begun in the busiest tenth of a second, over the average."""


def main(*, load: Load = Load()) -> None:
    """Let each program scrape the same targets, one after the other."""
    programs = [program for program in (MINIPROM, PROMETHEUS) if program.is_installed]
    figures = [measure(program, load) for program in programs]
    ours = figures[0]
    rows = [
        [
            program.name,
            f"{found.cpu_seconds_per_million:.2f} s",
            f"{found.rss_bytes / 2**20:.0f} MiB",
            f"{found.missed} of {found.scrapes + found.missed}",
            f"{found.jitter_seconds * 1000:.1f} ms",
            f"{found.busiest:.1f} x",
            times(ours.cpu_seconds_per_million, found.cpu_seconds_per_million),
            times(ours.rss_bytes, found.rss_bytes),
        ]
        for program, found in zip(programs, figures, strict=True)
    ]
    header = [
        "",
        "CPU a million samples",
        "RSS",
        "missed",
        "jitter p99",
        "busiest 0.1 s",
        "CPU / ours",
        "RSS / ours",
    ]
    title = (
        f"{load.targets} targets x {load.series} series each {load.interval_seconds} s, {CHANGED_PERCENT} % "
        f"changed, {FLAPPING_PERCENT_A_MINUTE} % of the targets replaced a minute"
    )
    print_table(title, header, rows)


def measure(program: Program, load: Load) -> Figures:
    """Run one program over the targets."""
    with tempfile.TemporaryDirectory() as folder, _serving(load) as server:
        population = _Population(Path(folder, "targets.json"), server.address, load.targets)
        population.write()
        with running(program, _config(population.file, load)) as started, population.flapping():
            _wait_until_warm(server, load)
            cpu, begun = started.cpu_seconds(), time.perf_counter()
            time.sleep(load.seconds)
            cpu, ended = started.cpu_seconds() - cpu, time.perf_counter()
            rss = started.rss_bytes()
    return _figures(server, population.steady(), load, cpu=cpu, rss=rss, window=(begun, ended))


def _wait_until_warm(server: "_Server", load: Load) -> None:
    """The first scrapes create the series; they are not what is measured."""
    deadline = time.monotonic() + _LONGEST_WARM_UP * load.interval_seconds
    while time.monotonic() < deadline:
        if sum(len(times) >= _WARM_SCRAPES for times in list(server.asked.values())) >= 0.9 * load.targets:
            return
        time.sleep(0.1)
    raise TimeoutError("the targets are not scraped as often as they should")


def _config(targets: Path, load: Load) -> str:
    interval = f"{load.interval_seconds}s"
    return (
        f"global: {{scrape_interval: {interval}, scrape_timeout: {interval}}}\n"
        f"scrape_configs: [{{job_name: bench, file_sd_configs: [{{files: ['{targets}']}}]}}]\n"
    )


def _figures(
    server: "_Server", steady: set[str], load: Load, *, cpu: float, rss: int, window: tuple[float, float]
) -> Figures:
    begun, ended = window
    within = {path: [at for at in times if begun <= at < ended] for path, times in server.asked.items()}
    scrapes = sum(map(len, within.values()))
    expected = int((ended - begun) / load.interval_seconds)
    offsets = [
        abs(later - earlier - load.interval_seconds)
        for path in steady
        for earlier, later in pairwise(within.get(path, ()))
    ]
    slots = Counter(int((at - begun) / _SLOT_SECONDS) for times in within.values() for at in times)
    average = scrapes / ((ended - begun) / _SLOT_SECONDS)
    return Figures(
        cpu_seconds_per_million=cpu / max(1, scrapes * load.series) * 1e6,
        rss_bytes=rss,
        scrapes=scrapes,
        missed=sum(max(0, expected - len(within.get(path, ()))) for path in steady),
        jitter_seconds=statistics.quantiles(offsets, n=100)[98] if len(offsets) > 1 else 0.0,
        busiest=max(slots.values(), default=0) / average if average else 0.0,
    )


@dataclass
class _Population:
    """The targets that there are, in a file that discovery watches; one is replaced after the other."""

    file: Path
    address: str
    size: int
    generations: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.generations = [0] * self.size

    def write(self) -> None:
        """Put the file in its place at once, so that nobody reads half of it."""
        groups = [
            {
                "targets": [self.address],
                "labels": {
                    "__metrics_path__": f"/{number}/{generation}",
                    "pod": f"pod-{number}-{generation}",
                },
            }
            for number, generation in enumerate(self.generations)
        ]
        draft = self.file.with_suffix(".draft")
        draft.write_text(json.dumps(groups))
        draft.replace(self.file)

    def steady(self) -> set[str]:
        """The paths of targets that were never replaced."""
        return {f"/{number}/0" for number, generation in enumerate(self.generations) if generation == 0}

    @contextmanager
    def flapping(self) -> Iterator[None]:
        """Replace targets while the block runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._flap, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _flap(self, done: threading.Event) -> None:
        at_once = max(1, self.size * FLAPPING_PERCENT_A_MINUTE // 100 // _FLAPS_A_MINUTE)
        number = 0
        while not done.wait(60 / _FLAPS_A_MINUTE):
            for _ in range(at_once):
                self.generations[number % self.size] += 1
                number += 1
            self.write()


class _Server(asyncio.Protocol):
    """All targets, on one port: a target is a path. `asked` holds when each was."""

    def __init__(self, bodies: list[bytes], asked: dict[str, list[float]]) -> None:
        self._bodies = bodies
        self.asked = asked
        self.address = ""
        self._received = b""

    def __call__(self) -> "_Server":
        return _Server(self._bodies, self.asked)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            asked = self.asked[path]
            asked.append(time.perf_counter())
            self._transport.write(self._bodies[len(asked) % len(self._bodies)])


@contextmanager
def _serving(load: Load) -> Iterator[_Server]:
    """The targets, in a thread."""
    server = _Server([_answer(scrape, load.series) for scrape in range(32)], defaultdict(list))
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(loop.create_server(server, "127.0.0.1", 0))
    server.address = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _answer(scrape: int, series: int) -> bytes:
    step = 100 // CHANGED_PERCENT
    lines = "".join(
        f'requests_total{{path="/api/v1/items/{n}",code="200",method="GET"}} {n + scrape * (n % step == 0)}\n'
        for n in range(series)
    )
    body = f"# TYPE requests_total counter\n{lines}".encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
