"""A running server delivers what its rules find: to Alertmanagers and to the sink's receivers, over HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.end_to_end.programs import eventually, fetch, miniprom

RULES = """
groups:
- name: always
  interval: 1s
  rules:
  - {alert: Watchdog, expr: vector(1)}
  - {alert: TooMany, expr: vector(3) > 2, annotations: {is: "{{ $value }} at {{ $externalLabels.host }}"}}
"""
CONFIG = """
global: {external_labels: {host: here}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
  - static_configs: [{targets: ["%(receiver)s"]}]
    path_prefix: /prefix
    basic_auth: {username: me, password: secret}
  - static_configs: [{targets: ["nowhere:1"]}]
    relabel_configs: [{action: drop}]
"""
SINK = """
group_wait: 0s
receivers: [{kind: webhook, url: "http://%(receiver)s/hook", bearer_token: token}]
dead_mans_switch: {url: "http://%(receiver)s/alive", interval: 1s}
"""


@contextmanager
def receiver() -> "Iterator[tuple[str, dict[str, list[tuple[str, Any]]]]]":
    """An HTTP server: its address, and the posts it got by path, each with its Authorization."""
    posts: dict[str, list[tuple[str, Any]]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posts.setdefault(self.path, []).append((self.headers.get("Authorization", ""), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", posts
        server.shutdown()
        thread.join()


def test_alerts_reach_alertmanagers_and_the_sink_with_credentials(tmp_path: Path) -> None:
    with receiver() as (address, posts):
        (tmp_path / "rules.yml").write_text(RULES)
        (tmp_path / "sink.yml").write_text(SINK % {"receiver": address})
        sink = f"--alerting.sink-config={tmp_path / 'sink.yml'}"
        with miniprom(CONFIG % {"receiver": address}, tmp_path, sink) as (url, _):
            paths = {"/prefix/api/v2/alerts", "/hook", "/alive"}
            eventually(posts.keys, lambda seen: seen >= paths)
            listed = json.loads(fetch(f"{url}/api/v1/alertmanagers"))["data"]
    batches = posts["/prefix/api/v2/alerts"]
    assert {authorization for authorization, _ in batches} == {"Basic bWU6c2VjcmV0"}
    names = {alert["labels"]["alertname"] for _, batch in batches for alert in batch}
    assert names == {"Watchdog", "TooMany"}
    authorization, message = posts["/hook"][0]
    assert authorization == "Bearer token"
    assert message["commonAnnotations"] == {"is": "3 at here"}
    assert {post["groupLabels"]["alertname"] for _, post in posts["/hook"]} == {"TooMany"}
    assert listed == {
        "activeAlertmanagers": [{"url": f"http://{address}/prefix/api/v2/alerts"}],
        "droppedAlertmanagers": [{"url": "http://nowhere:1/api/v2/alerts"}],
    }
