"""A running server evaluates its rules, and keeps them when a reload brings bad ones."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.end_to_end.programs import eventually, fetch, miniprom, query

CONFIG = """
global: {{evaluation_interval: 100ms, external_labels: {{cluster: c}}}}
rule_files: ['{}/rules/*.yml']
"""
RULES = """
groups:
  - name: g
    rules:
      - {record: one, expr: vector(1)}
      - {record: two, expr: one + 1}
      - {alert: Always, expr: two == 2, annotations: {text: "{{ $value }} in {{ $externalLabels.cluster }}"}}
"""


def groups(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(fetch(f"{url}/api/v1/rules"))["data"]["groups"]
    return found


def test_rules_are_evaluated_and_reloaded(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    file = folder / "g.yml"
    file.write_text(RULES)
    with miniprom(CONFIG.format(tmp_path), tmp_path) as (url, process):
        eventually(lambda: query(url, "two"), lambda found: found and found[0]["value"][1] == "2")
        alerts = eventually(lambda: json.loads(fetch(f"{url}/api/v1/alerts"))["data"]["alerts"], bool)
        assert alerts[0]["annotations"] == {"text": "2 in c"}
        eventually(lambda: query(url, 'ALERTS{alertstate="firing"}'), bool)

        file.write_text("groups: [{name: g, rules: [{record: bad, expr: 'sum('}]}]")
        process.send_signal(signal.SIGHUP)
        eventually(
            lambda: fetch(f"{url}/metrics"),
            lambda text: "prometheus_config_last_reload_successful 0.0" in text,
        )
        assert [rule["name"] for rule in groups(url)[0]["rules"]] == ["one", "two", "Always"]

        file.write_text(RULES.replace("record: two", "record: three"))
        process.send_signal(signal.SIGHUP)
        eventually(lambda: query(url, "three"), bool)
        eventually(lambda: query(url, "two"), lambda found: not found)
    log = (tmp_path / "miniprom.log").read_text()
    assert f"{file}:1: group" in log
    assert "Traceback" not in log


def test_server_with_bad_rules_does_not_start(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text(f"rule_files: ['{tmp_path}/bad.yml']")
    (tmp_path / "bad.yml").write_text("groups: [{name: ''}]")
    command = [sys.executable, "-m", "miniprom", f"--config.file={config}"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20, cwd=root)
    assert done.returncode == 1
    assert f"{tmp_path}/bad.yml:1: a group needs a name" in done.stderr
    assert "Traceback" not in done.stderr


def test_alert_that_fired_when_the_server_was_killed_has_fired_since_then(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "g.yml").write_text(
        "groups: [{name: g, rules: [{alert: Always, expr: vector(1), for: 1s}]}]"
    )
    flags = (f"--storage.tsdb.path={tmp_path}/data", "--rules.alert.for-grace-period=1s")
    is_on_disk = "count_over_time(ALERTS{alertstate='firing'}[1m]) > 25"  # what is older than a second

    def active_since(url: str) -> str:
        """What a running server has written."""
        now = json.loads(fetch(f"{url}/api/v1/query?query=time()"))["data"]["result"][0]
        new = f"ALERTS_FOR_STATE and timestamp(ALERTS_FOR_STATE) > {now}"
        [series] = eventually(lambda: query(url, new), bool)
        since: str = series["value"][1]
        return since

    with miniprom(CONFIG.format(tmp_path), tmp_path, *flags) as (url, process):
        eventually(lambda: query(url, is_on_disk), bool)
        before = active_since(url)
        process.kill()
        process.wait()
    with miniprom(CONFIG.format(tmp_path), tmp_path, *flags) as (url, _):
        assert active_since(url) == before
