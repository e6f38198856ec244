"""`miniprom check rules --live` against a running server, ours and Prometheus."""

from pathlib import Path

import pytest

from benchmarks.programs import free_port
from miniprom.cli.check_rules import run
from tests.end_to_end.programs import eventually, miniprom, program, query, running

CONFIG = """
global: {scrape_interval: 1s}
scrape_configs:
- {job_name: self, static_configs: [{targets: ["%s"]}]}
"""
RULES = """
groups:
- name: linted
  rules:
  - {alert: Unknown, expr: prometheus_build_inf == 1, for: 1m}
  - {record: "a:b", expr: "rate(prometheus_http_requests_total[2s]) + on () rate(process_open_fds[1m])"}
  - {alert: Fine, expr: up == 0, for: 1m}
"""


def check(url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    eventually(lambda: query(url, "process_open_fds"), bool)
    file = folder / "rules.yml"
    file.write_text(RULES)
    assert run([str(file), "--live", url, "--lint-fatal"]) == 3
    return [line.partition('rule "')[2] for line in capsys.readouterr().out.splitlines() if " rule " in line]


NOTES = [
    'Unknown": no series of prometheus_build_inf has been seen; did you mean prometheus_build_info? '
    "[unknown-metric]",
    'a:b": the range 2s is shorter than four scrape intervals, 4s: gaps will show [range]',
    'a:b": process_open_fds is a gauge, which rate() is not for [wrong-kind]',
]


def test_our_server_is_asked_for_its_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    with miniprom(CONFIG % address, tmp_path, f"--web.listen-address={address}") as (url, _):
        assert check(url, tmp_path, capsys) == NOTES


@pytest.mark.peer
def test_prometheus_is_asked_for_its_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    (tmp_path / "prometheus.yml").write_text(CONFIG % address)
    files = (f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data")
    command = [program("prometheus"), *files, f"--web.listen-address={address}"]
    with running(command, tmp_path / "prometheus.log"):
        assert check(f"http://{address}", tmp_path, capsys) == NOTES
