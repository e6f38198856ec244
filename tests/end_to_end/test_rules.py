"""Two hours of rules beside Prometheus's own evaluation: promtool confirms every series that ours wrote."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from miniprom.promqltest.comparison import format_labels
from miniprom.ruletest import load_test_file, run_test_file
from query import Engine, InstantVector
from tests.end_to_end.programs import program
from tsdb import Store

pytestmark = pytest.mark.peer

# No range ends on the samples' grid: there Prometheus 2 and 3 differ.
RULES = """
groups:
  - name: recorded
    rules:
      - {record: "job:requests:rate", expr: "round(sum by (job) (rate(requests_total[5m30s])), 0.001)"}
      - {record: "job:requests:max", expr: max(requests_total), labels: {kind: peak, instance: ""}}
      - {record: "job:requests:doubled", expr: "job:requests:rate * 2"}
      - {record: "up:down", expr: up == 0}
      - {record: constant, expr: "42"}
  - name: alerting
    rules:
      - {alert: Down, expr: up == 0, for: 5m, labels: {severity: page}, annotations: {is: "{{ $value }}"}}
      - {alert: DownAtOnce, expr: up == 0}
      - {alert: Flapping, expr: up == 0, for: 2m, keep_firing_for: 4m}
      - {alert: Labelled, expr: "up:down < 1", labels: {where: "{{ $labels.job }}-{{ $labels.instance }}"}}
      - {alert: Nothing, expr: up > 1, for: 1m}
      - {alert: Several, expr: "count by (alertstate) (ALERTS{alertname!='Several'}) > 1"}
      - {alert: Busy, expr: "job:requests:rate > 1.5", for: 90s, labels: {empty: "{{ $labels.none }}"}}
"""
UP = {
    "a,0": "1x20 0x10 1x30 0x3 1x5 0x40 1x20",
    "a,1": "1x30 0x60 1x40",
    "b,0": "1x10 0 1 0 0 1 0 0 0 1 0 0 0 0 1 0 0 0 0 0 1x30 stale 0x50 1x20",
    "b,1": "_x7 0x30 1x5 0 _ 0 _ _ 0 1x60 stale",
}
REQUESTS = {"a,0": "0+60x130", "a,1": "0+120x60 0+30x70", "b,0": "0+6x40 stale 1000+90x80", "b,1": "5x130"}
NAMES = (
    "ALERTS",
    "ALERTS_FOR_STATE",
    "job:requests:rate",
    "job:requests:max",
    "job:requests:doubled",
    "up:down",
)
MINUTES = 125


def _test_file(folder: Path, expectations: list[dict[str, Any]]) -> Path:
    series = [
        {"series": f'{name}{{job="{key[0]}",instance="{key[2]}"}}', "values": values}
        for name, notations in (("up", UP), ("requests_total", REQUESTS))
        for key, values in notations.items()
    ]
    file = folder / "test.yml"
    content = {
        "rule_files": ["rules.yml"],
        "group_eval_order": ["recorded", "alerting"],
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": expectations}],
    }
    file.write_text(json.dumps(content))  # JSON is YAML
    (folder / "rules.yml").write_text(RULES)
    return file


def _written(store: Store, minute: int) -> list[dict[str, Any]]:
    """What ours wrote, as expectations."""
    expectations = []
    for name in NAMES:
        time_ms = minute * 60_000
        value = Engine().instant(store.snapshot(time_ms), name, time_ms).value
        assert isinstance(value, InstantVector)
        samples = [
            {"labels": format_labels(labels), "value": number}
            for labels, number in zip(value.labels.series(), value.values.tolist(), strict=True)
        ]
        expectations.append({"expr": name, "eval_time": f"{minute}m", "exp_samples": samples})
    return expectations


@pytest.fixture(scope="module")
def expectations(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Every rule's series at every evaluation, as ours wrote them."""
    folder = tmp_path_factory.mktemp("ours")
    last = {
        "expr": "constant",
        "eval_time": f"{MINUTES - 1}m",
        "exp_samples": [{"labels": "constant", "value": 42}],
    }
    (result,) = run_test_file(load_test_file(str(_test_file(folder, [last]))))
    assert result.problems == ()
    return [each for minute in range(MINUTES) for each in _written(result.store, minute)]


def _promtool(file: Path) -> "subprocess.CompletedProcess[str]":
    command = [program("promtool"), "test", "rules", str(file)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_prometheus_writes_the_same_series_at_each_of_two_hours_of_evaluations(
    expectations: list[dict[str, Any]], tmp_path: Path
) -> None:
    counts = {
        name: sum(len(each["exp_samples"]) for each in expectations if each["expr"] == name) for name in NAMES
    }
    assert min(counts.values()) > 100, counts
    done = _promtool(_test_file(tmp_path, expectations))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_prometheus_would_notice_one_wrong_sample(expectations: list[dict[str, Any]], tmp_path: Path) -> None:
    wrong = json.loads(json.dumps(expectations))
    next(each for each in wrong if each["exp_samples"])["exp_samples"][0]["value"] += 1
    assert _promtool(_test_file(tmp_path, wrong)).returncode == 1
