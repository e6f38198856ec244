"""CPU per scraped sample, time to readiness, and memory, beside the peers."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.measure import print_table, times
from benchmarks.programs import MINIPROM, PEERS, Program, running

SERIES = 10_000
CHANGED_PERCENT = 10


def main(*, seconds: float = 30.0) -> None:
    """Let each installed program scrape the same target every second, one after the other."""
    programs = [MINIPROM, *(peer for peer in PEERS if peer.is_installed)]
    with _target() as address:
        rows = [(program, *_scrape(program, address, seconds)) for program in programs]
    ours = rows[0]
    table = [
        [
            program.name,
            f"{ready:.2f} s",
            f"{cpu * 1e6:.2f} us",
            f"{rss / 2**20:.0f} MiB",
            times(ours[2], cpu),
            times(ours[3], rss),
        ]
        for program, ready, cpu, rss in rows
    ]
    header = ["", "ready after", "CPU a sample", "RSS", "CPU / ours", "RSS / ours"]
    print_table(f"Scraping {SERIES} series a second, {CHANGED_PERCENT} % changed", header, table)


def _scrape(program: Program, address: str, seconds: float) -> tuple[float, float, float]:
    """Seconds to readiness, CPU seconds per sample, RSS bytes."""
    config = (
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: bench, static_configs: [{{targets: ['{address}']}}]}}]\n"
    )
    with running(program, config) as started:
        time.sleep(5)  # the first scrapes create the series; they are not what is measured
        cpu, scrapes = started.cpu_seconds(), _Handler.scrapes
        time.sleep(seconds)
        samples = (_Handler.scrapes - scrapes) * SERIES
        return started.ready_seconds, (started.cpu_seconds() - cpu) / samples, started.rss_bytes()


class _Handler(http.server.BaseHTTPRequestHandler):
    """Serves `SERIES` lines of which one in ten changes from scrape to scrape."""

    scrapes = 0
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        _Handler.scrapes += 1
        body = _BODIES[_Handler.scrapes % len(_BODIES)]
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the signature of the base class
        pass


def _body(scrape: int) -> bytes:
    step = 100 // CHANGED_PERCENT
    lines = (
        f'requests_total{{path="/api/v1/items/{n}",code="200",method="GET"}} {n + scrape * (n % step == 0)}\n'
        for n in range(SERIES)
    )
    return ("# TYPE requests_total counter\n" + "".join(lines)).encode()


_BODIES = [_body(scrape) for scrape in range(64)]


@contextmanager
def _target() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
