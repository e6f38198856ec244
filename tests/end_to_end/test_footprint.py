"""The memory of a server as a process."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.end_to_end.programs import eventually, fetch, miniprom

SERIES = 10_000
LIMIT_BYTES = 75_000_000
BODY = "".join(
    f'requests_total{{code="200",method="GET",path="/api/v1/items/{n}"}} {n}\n' for n in range(SERIES)
).encode()


class Handler(BaseHTTPRequestHandler):
    """Serves `BODY`."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the signature of the base class
        pass


@contextmanager
def target() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def health(url: str) -> list[str]:
    answer = json.loads(fetch(f"{url}/api/v1/targets"))
    return [target["health"] for target in answer["data"]["activeTargets"]]


def rss_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_thousand_series_freshly_scraped_take_less_than_75_megabytes(tmp_path: Path) -> None:
    with target() as address:
        config = (
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs: [{{job_name: many, static_configs: [{{targets: ['{address}']}}]}}]\n"
        )
        with miniprom(config, tmp_path) as (url, process):
            eventually(lambda: health(url), lambda found: found == ["up"])
            assert rss_bytes(process.pid) < LIMIT_BYTES
            metrics = fetch(f"{url}/metrics")
    assert f"prometheus_tsdb_head_series {SERIES + 5:.1f}" in metrics.splitlines()
