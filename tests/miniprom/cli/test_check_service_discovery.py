"""What a job would find, without a server."""

import json
from pathlib import Path

import pytest

from miniprom.cli.check_service_discovery import run

CONFIG = """
scrape_configs:
- job_name: files
  scrape_interval: 15s
  static_configs: [{targets: ['s:1']}]
  file_sd_configs: [{files: ['targets.json']}]
  relabel_configs:
  - {source_labels: [__address__], regex: 'drop.*', action: drop}
  - {source_labels: [__meta_filepath], regex: '.*/(.*)', target_label: file}
- job_name: cluster
  kubernetes_sd_configs: [{role: pod}]
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "targets.json").write_text('[{"targets": ["a:1", "a:1", "drop:1", "no/host"]}]')
    file = tmp_path / "prometheus.yml"
    file.write_text(CONFIG)
    return str(file)


def test_labels_before_and_after_relabelling_are_printed_once(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--timeout=100ms", config, "files"]) == 0
    printed = json.loads(capsys.readouterr().out)
    found = {result["discoveredLabels"]["__address__"]: result for result in printed}
    assert list(found) == ["s:1", "a:1", "drop:1", "no/host"]
    assert len(printed) == 4
    assert found["s:1"]["labels"] == {"instance": "s:1", "job": "files"}
    assert found["a:1"]["labels"] == {"file": "targets.json", "instance": "a:1", "job": "files"}
    assert found["a:1"]["discoveredLabels"]["__meta_filepath"] == str(tmp_path / "targets.json")
    assert found["a:1"]["discoveredLabels"]["__scrape_interval__"] == "15s"
    assert found["drop:1"]["labels"] == {}
    assert found["no/host"]["error"] == '"no/host" is not a valid hostname'


def test_job_that_is_not_there_is_told_with_those_that_are(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([config, "file"]) == 1
    assert capsys.readouterr().err == "Job file not found. Select one of:\n\tfiles\n\tcluster\n"


def test_discovery_that_cannot_look_says_why(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert run([config, "cluster"]) == 1
    assert "not in a Kubernetes cluster" in capsys.readouterr().err
