"""CPU of evaluating rules every 15 seconds, beside Prometheus."""

import json
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.data import Dataset, counters, remote_write_requests
from benchmarks.measure import print_table, times
from benchmarks.programs import MINIPROM, PROMETHEUS, Program, Running, running
from benchmarks.queries import REMOTE_WRITE_HEADERS

INTERVAL_SECONDS = 15
ROWS = 240
SERVICES = 100
WINDOWS = ("5m", "30m", "1h")

RuleGroup = dict[str, Any]


def main(*, series: int = 20_000, seconds: float = 60.0) -> None:
    """Let each program evaluate the same rules over the same hour of samples, one after the other."""
    now_ms = int(time.time()) * 1000
    data = counters(series, end_ms=now_ms, rows=ROWS, interval_ms=INTERVAL_SECONDS * 1000)
    programs = [program for program in (MINIPROM, PROMETHEUS) if program.is_installed]
    figures = [_evaluate(program, data, seconds) for program in programs]
    header = ["", *(program.name for program in programs), "prometheus / ours"]
    rows = [
        [name, *(f"{cpu * 1000:.0f} ms" for cpu in column), times(column[0], column[-1])]
        for name, *column in zip(WORKLOADS, *figures, strict=True)
    ]
    print_table(f"CPU of a round of rules over {series} series", header, rows)


def rule_file(groups: list[RuleGroup]) -> str:
    """The text of a rule file: JSON is YAML."""
    return json.dumps({"groups": groups})


def service_groups() -> list[RuleGroup]:
    """Ten rules a service, each of 100 series: error ratios by window, and alerts on how fast they burn."""
    return [_service_group(number) for number in range(SERVICES)]


def cluster_groups() -> list[RuleGroup]:
    """Groups of ten rules that aggregate all series, as dashboards and overviews have them recorded."""
    return [_cluster_group(window) for window in ("2m", *WINDOWS)]


WORKLOADS: Mapping[str, Callable[[], list[RuleGroup]]] = {
    "1000 rules, each of 100 series": service_groups,
    "40 rules, each of all series": cluster_groups,
}


def _service_group(number: int) -> RuleGroup:
    path, slo = f'path="/api/{number}"', {"slo": str(number)}
    requests = f"requests_total{{{path}}}"
    errors = f'requests_total{{{path},code=~"5.."}}'
    rules: list[dict[str, Any]] = [
        {
            "record": f"slo:errors:ratio_rate{window}",
            "expr": f"sum(rate({errors}[{window}])) / sum(rate({requests}[{window}]))",
            "labels": slo,
        }
        for window in WINDOWS
    ]
    for by in ("code", "pod"):
        expr = f"sum by ({by}) (rate({requests}[5m]))"
        rules.append({"record": f"slo:requests_{by}:rate5m", "expr": expr, "labels": slo})
    for fast, slow, limit in (("5m", "1h", 0.9), ("30m", "1h", 0.8), ("5m", "30m", 0.7)):
        ratios = (f'slo:errors:ratio_rate{window}{{slo="{number}"}} > {limit}' for window in (fast, slow))
        expr = " and ".join(ratios)
        rules.append({"alert": f"Burning{fast}", "expr": expr, "for": "2m", "labels": {"severity": "page"}})
    no_traffic = f"sum(rate({requests}[5m])) == 0"
    pod_without = f"sum by (pod) (rate({requests}[5m])) == 0"
    rules.append({"alert": "NoTraffic", "expr": no_traffic, "for": "5m", "labels": slo})
    rules.append({"alert": "PodWithoutTraffic", "expr": pod_without, "labels": slo})
    return {"name": f"slo-{number}", "rules": rules}


def _cluster_group(window: str) -> RuleGroup:
    rate = f"rate(requests_total[{window}])"
    errors = f'rate(requests_total{{code=~"5.."}}[{window}])'
    expressions = {
        "total": f"sum({rate})",
        "by_code": f"sum by (code) ({rate})",
        "by_pod": f"sum by (pod) ({rate})",
        "by_path": f"sum by (path) ({rate})",
        "busiest": f"topk(5, sum by (pod) ({rate}))",
        "errors": f"sum({errors})",
        "error_ratio": f"sum({errors}) / sum({rate})",
        "error_ratio_by_pod": f"sum by (pod) ({errors}) / sum by (pod) ({rate})",
    }
    rules = [{"record": f"cluster:{name}:rate{window}", "expr": expr} for name, expr in expressions.items()]
    alerts = {
        "ErrorsHigh": f"sum by (path) ({errors}) / sum by (path) ({rate}) > 0.9",
        "PodIdle": f"sum by (pod) ({rate}) == 0",
    }
    rules += [{"alert": name, "expr": expr, "for": "5m"} for name, expr in alerts.items()]
    return {"name": f"cluster-{window}", "rules": rules}


def _evaluate(program: Program, data: Dataset, seconds: float) -> list[float]:
    """CPU seconds of a round of the rules of each workload."""
    with tempfile.TemporaryDirectory() as folder:
        config = f"global: {{evaluation_interval: {INTERVAL_SECONDS}s}}\nrule_files: ['{folder}/*.yml']\n"
        with running(program, config) as started:
            for body in remote_write_requests(data):
                started.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
            # Prometheus takes no old samples once a rule has written new ones: rules come last.
            return [_measure(started, Path(folder), groups(), seconds) for groups in WORKLOADS.values()]


def _measure(program: Running, folder: Path, groups: list[RuleGroup], seconds: float) -> float:
    (folder / "rules.yml").write_text(rule_file(groups))
    program.process.send_signal(signal.SIGHUP)
    time.sleep(2 * INTERVAL_SECONDS + 1)  # the first rounds make the series
    cpu, evaluations = program.cpu_seconds(), _evaluations(program)
    time.sleep(seconds)
    cpu, evaluations = program.cpu_seconds() - cpu, _evaluations(program) - evaluations
    shown = json.loads(program.get("/api/v1/rules"))["data"]["groups"]
    rules = [rule for group in shown for rule in group["rules"]]
    assert len(rules) == sum(len(group["rules"]) for group in groups)
    assert {rule["health"] for rule in rules} == {"ok"}
    return cpu / evaluations * len(rules)


def _evaluations(program: Running) -> float:
    name = "prometheus_rule_evaluations_total"
    lines = program.get("/metrics").decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))
