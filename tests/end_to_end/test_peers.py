"""Against the real programs: node exporter, Prometheus in both directions, promtool, a Python client."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from prometheus_api_client import PrometheusConnect

from benchmarks.programs import free_port
from tests.end_to_end.programs import eventually, fetch, miniprom, program, query, running

pytestmark = pytest.mark.peer

OURS = """
global: {{scrape_interval: 250ms, scrape_timeout: 250ms, external_labels: {{cluster: ours}}}}
scrape_configs:
- job_name: node
  static_configs: [{{targets: ['127.0.0.1:{node}']}}]
- job_name: prometheus
  static_configs: [{{targets: ['127.0.0.1:{prometheus}']}}]
"""
THEIRS = """
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
remote_write:
- url: {ours}/api/v1/write
  queue_config: {{batch_send_deadline: 200ms}}
scrape_configs:
- job_name: miniprom
  static_configs: [{{targets: ['{address}']}}]
- job_name: federate
  honor_labels: true
  metrics_path: /federate
  params: {{'match[]': ['up{{job="node"}}', '{{__name__=~"node_load.*"}}']}}
  static_configs: [{{targets: ['{address}']}}]
"""


@dataclass(frozen=True)
class Peers:
    """The URLs of our server and of a real Prometheus that scrape and feed each other."""

    ours: str
    theirs: str


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    exporter, prometheus = program("prometheus-node-exporter"), program("prometheus")
    node_port, their_port = free_port(), free_port()
    folder = tmp_path_factory.mktemp("peers")
    theirs = f"http://127.0.0.1:{their_port}"
    config = OURS.format(node=node_port, prometheus=their_port)
    with (
        running([exporter, f"--web.listen-address=127.0.0.1:{node_port}"], folder / "node.log"),
        miniprom(config, folder, "--web.enable-remote-write-receiver") as (ours, _),
    ):
        file = folder / "theirs.yml"
        file.write_text(THEIRS.format(ours=ours, address=ours.removeprefix("http://")))
        command = [
            prometheus,
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{their_port}",
        ]
        with running(command, folder / "theirs.log"):
            eventually(lambda: query(ours, "up{job=~'node|prometheus'} == 1"), lambda found: len(found) == 2)
            yield Peers(ours, theirs)


def test_we_scrape_the_node_exporter(peers: Peers) -> None:
    found = eventually(lambda: query(peers.ours, "count(node_cpu_seconds_total)"), bool)
    assert float(found[0]["value"][1]) >= 8


def test_we_scrape_prometheus(peers: Peers) -> None:
    found = eventually(lambda: query(peers.ours, "rate(prometheus_http_requests_total[5s])"), bool)
    assert found[0]["metric"]["job"] == "prometheus"


def test_prometheus_scrapes_our_metrics(peers: Peers) -> None:
    eventually(lambda: query(peers.theirs, 'up{job="miniprom"} == 1'), bool)
    found = eventually(lambda: query(peers.theirs, 'prometheus_tsdb_head_series{job="miniprom"}'), bool)
    assert float(found[0]["value"][1]) > 100


def test_prometheus_scrapes_our_federation(peers: Peers) -> None:
    found = eventually(lambda: query(peers.theirs, "node_load1"), bool)
    assert found[0]["metric"]["job"] == "node"
    assert found[0]["metric"]["cluster"] == "ours"


def test_prometheus_writes_to_us(peers: Peers) -> None:
    found = eventually(lambda: query(peers.ours, 'up{job="federate"} == 1'), bool)
    assert found[0]["metric"]["instance"] in peers.ours
    failed = query(peers.theirs, "prometheus_remote_storage_samples_failed_total > 0")
    assert failed == []


def test_what_is_written_and_what_is_queried_agree(peers: Peers) -> None:
    eventually(lambda: query(peers.ours, 'count_over_time(up{job="federate"}[10s]) > 4'), bool)
    newest = query(peers.ours, 'timestamp(up{job="federate"})')[0]["value"][1]
    # 600 ms is no multiple of the interval: no sample stands on the edge that 2.x and 3.x treat differently.
    text = f'up{{job="federate"}}[600ms] @ {newest}'
    expected = query(peers.theirs, text)
    assert len(expected[0]["values"]) >= 2
    assert query(peers.ours, text) == expected


def test_promtool_queries(peers: Peers) -> None:
    ours = peers.ours
    instant = promtool("query", "instant", ours, 'up{job="node"}')
    assert 'up{instance="127.0.0.1:' in instant
    range_ = promtool("query", "range", "--step=1s", ours, 'up{job="node"}')
    assert 'job="node"' in range_
    series = promtool("query", "series", '--match=up{job="node"}', ours)
    assert '__name__="up"' in series
    labels = promtool("query", "labels", ours, "job")
    assert {"node", "prometheus"} <= set(labels.split())


def test_python_client_works(peers: Peers) -> None:
    client = PrometheusConnect(url=peers.ours, disable_ssl=True)
    assert client.check_prometheus_connection()
    assert "node_load1" in client.all_metrics()
    assert "node" in client.get_label_values("job")
    assert client.get_current_metric_value("up", {"job": "node"})[0]["value"][1] == "1"
    now = datetime.now()
    raw = client.get_metric_range_data("up", {"job": "node"}, now - timedelta(seconds=30), now)
    assert raw[0]["values"]
    stepped = client.custom_query_range("up", now - timedelta(seconds=5), now, "1")
    assert stepped
    assert client.get_targets(state="active", scrape_pool="node")["activeTargets"][0]["health"] == "up"
    assert sorted(client.get_scrape_pools()) == ["node", "prometheus"]
    assert client.get_metric_metadata("node_load1")[0]["type"] == "gauge"


def test_targets_know_what_they_said_of_their_metrics(peers: Peers) -> None:
    metadata = json.loads(fetch(f"{peers.ours}/api/v1/metadata?metric=node_load1"))["data"]
    assert metadata["node_load1"] == [{"type": "gauge", "help": "1m load average.", "unit": ""}]


def promtool(*arguments: str) -> str:
    done = subprocess.run([program("promtool"), *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
