"""`/api/v1/rules` and `/api/v1/alerts` beside Prometheus, with the same rule files."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks.programs import MINIPROM, PROMETHEUS, Running, running

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PROMETHEUS.is_installed, reason="prometheus is not installed"),
]

RULES = """
groups:
- name: second
  interval: 1s
  limit: 1
  rules:
  - {record: "zone:one", expr: 'label_replace(vector( 1 ),"zone","a","","")', labels: {team: x, env: y}}
  - {record: too_many, expr: 'label_replace(vector(1), "zone", "a", "", "") or vector(2)'}
  - {alert: Inactive, expr: vector(1) > 2, labels: {severity: page}}
- name: first
  interval: 1s
  rules:
  - record: twice
    expr: label_replace(vector(1), "zone", "a", "", "") or label_replace(vector(1), "zone", "b", "", "")
    labels: {zone: c}
  - {record: constant, expr: "42"}
  - alert: Firing
    expr: label_replace(vector(1.5), "zone", "a", "", "") or label_replace(vector(-3), "zone", "b", "", "")
    keep_firing_for: 2m
    labels: {severity: page, about: "{{ $labels.zone }}"}
    annotations:
      summary: "zone {{ $labels.zone }} has {{ $value | humanize }}"
      wrong: "{{ $value | first }}"
  - {alert: Pending, expr: 'absent(nothing{job="a"})', for: 1h, annotations: {text: plain}}
  - {alert: Broken, expr: 'label_replace(vector(1), "a", "$1", "b", "(")'}
"""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Running]]:
    """Ours and Prometheus, both after some evaluations."""
    folder = tmp_path_factory.mktemp("rules")
    for name in ("b.yml", "a.yml"):
        Path(folder, name).write_text(RULES)
    config = f"global: {{external_labels: {{cluster: c}}}}\nrule_files: ['{folder}/*.yml']\n"
    with ExitStack() as stack:
        started = [stack.enter_context(running(program, config)) for program in (MINIPROM, PROMETHEUS)]
        for program in started:
            _wait_until_evaluated(program)
        yield started


@pytest.mark.parametrize(
    "path",
    ["/api/v1/rules", "/api/v1/rules?type=alert", "/api/v1/rules?type=record", "/api/v1/alerts"],
)
def test_answers_are_those_of_prometheus_but_for_their_times(programs: list[Running], path: str) -> None:
    ours, theirs = (_shown(program, path) for program in programs)
    assert ours == theirs


def _shown(program: Running, path: str) -> str:
    """The answer's JSON, laid out, without what differs between two runs."""
    return json.dumps(json.loads(program.get(path), object_pairs_hook=_comparable), indent=1)


def _comparable(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object with moments and durations as such, and alerts, which come in any order, sorted.

    Prometheus 2 leaves the labels of a recording rule out if there are none.
    """
    fields = dict(pairs)
    for name, value in pairs:
        if isinstance(value, str) and MOMENT.fullmatch(value):
            fields[name] = "a moment"
        elif name == "evaluationTime":
            fields[name] = "a duration" if isinstance(value, float) else value
        elif name == "alerts":
            fields[name] = sorted(value, key=lambda alert: json.dumps(alert["labels"]))
    if fields.get("type") == "recording" and not fields.get("labels"):
        fields.pop("labels", None)
    return fields


def _wait_until_evaluated(program: Running) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        groups = json.loads(program.get("/api/v1/rules"))["data"]["groups"]
        if all(rule["health"] != "unknown" for group in groups for rule in group["rules"]):
            return
        time.sleep(0.1)
    raise TimeoutError("not all rules were evaluated")
