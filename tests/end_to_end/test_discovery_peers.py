"""Files and HTTP beside Debian's Prometheus: the same sections must discover the same labels."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.programs import free_port
from tests.end_to_end.programs import eventually, fetch, miniprom, program, running

CONFIG = """
scrape_configs:
- job_name: files
  scrape_interval: 30s
  static_configs: [{targets: ['127.0.0.1:1'], labels: {from: config}}]
  file_sd_configs: [{files: ['sd/*.json', 'sd/*.yml']}]
  relabel_configs:
  - {source_labels: [env], regex: drop, action: drop}
  - {source_labels: [__meta_filepath], regex: '.*/(.*)', target_label: file}
- job_name: http
  params: {module: [a, b]}
  metrics_path: /probe
  http_sd_configs: [{url: 'URL'}]
  relabel_configs:
  - {source_labels: [__meta_url], target_label: found_by}
"""
JSON = [
    {"targets": ["127.0.0.1:2", "127.0.0.1:3"], "labels": {"env": "prod", "__scrape_timeout__": "3s"}},
    {"targets": ["127.0.0.1:4"], "labels": {"env": "drop"}},
    {"targets": ["127.0.0.1:5"], "labels": {"__metrics_path__": "/x", "__param_y": "z", "empty": ""}},
]
YAML = "- targets: ['127.0.0.1:6']\n  labels: {number: 017, truth: yes, __scheme__: https}\n"
Shown = list[tuple[str, dict[str, str]]]


@contextmanager
def served(groups: object) -> Iterator[str]:
    """The URL of a server that answers with target groups."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.end_headers()
            self.wfile.write(json.dumps(groups).encode())

        def log_message(self, *_arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/targets"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def shown(url: str) -> Shown:
    """URL and labels of every target that is scraped, and the address of every other.

    Labels before relabelling are not compared: Prometheus 2.42 shows some that relabelling has overwritten.
    """
    data: dict[str, Any] = json.loads(fetch(f"{url}/api/v1/targets"))["data"]
    active = [(target["scrapeUrl"], target["labels"]) for target in data["activeTargets"]]
    dropped: Shown = [(target["discoveredLabels"]["__address__"], {}) for target in data["droppedTargets"]]
    return sorted([*active, *dropped], key=str)


@pytest.mark.peer
def test_files_and_http_discover_what_prometheus_discovers(tmp_path: Path) -> None:
    prometheus = program("prometheus")
    (tmp_path / "sd").mkdir()
    (tmp_path / "sd" / "a.json").write_text(json.dumps(JSON))
    (tmp_path / "sd" / "b.yml").write_text(YAML)
    with served(JSON) as url:
        config = CONFIG.replace("URL", url)
        expected = 1 + 2 * 4 + 1
        with miniprom(config, tmp_path) as (ours, _):
            found = eventually(lambda: shown(ours), lambda targets: len(targets) == expected)
        peer = f"http://127.0.0.1:{free_port()}"
        flags = (
            f"--config.file={tmp_path}/prometheus.yml",
            f"--web.listen-address={peer.removeprefix('http://')}",
            f"--storage.tsdb.path={tmp_path}/peer",
        )
        with running([prometheus, *flags], tmp_path / "peer.log"):
            theirs = eventually(lambda: shown(peer), lambda targets: len(targets) == expected)
    assert found == theirs
