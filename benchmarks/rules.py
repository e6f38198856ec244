"""CPU of evaluating rules: those of service level objectives, beside Prometheus."""

import json
import signal
import tempfile
import time
from pathlib import Path

from benchmarks.data import Dataset, counters, remote_write_requests
from benchmarks.measure import print_table, times
from benchmarks.programs import MINIPROM, PROMETHEUS, Program, Running, running
from benchmarks.queries import REMOTE_WRITE_HEADERS

INTERVAL_SECONDS = 15
ROWS = 240
PODS = 100
WINDOWS = ("5m", "30m", "1h")


def main(*, rules: int = 1000, series: int = 20_000, seconds: float = 60.0) -> None:
    """Let each program evaluate the same rules over the same hour of samples, one after the other."""
    now_ms = int(time.time() * 1000) // 1000 * 1000
    data = counters(series, end_ms=now_ms, rows=ROWS, interval_ms=INTERVAL_SECONDS * 1000)
    programs = [program for program in (MINIPROM, PROMETHEUS) if program.is_installed]
    rows = [(program, *_evaluate(program, data, rule_file(rules, series), seconds)) for program in programs]
    table = [
        [program.name, f"{cpu * 1000:.0f} ms", f"{rss / 2**20:.0f} MiB", times(rows[0][1], cpu)]
        for program, cpu, rss in rows
    ]
    header = ["", "CPU a round", "RSS", "CPU / ours"]
    print_table(f"{rules} rules over {series} series, every {INTERVAL_SECONDS} s", header, table)


def rule_file(rules: int, series: int) -> str:
    """Groups of ten rules, one a service: rates, error ratios by window, and alerts on how fast they burn."""
    services = series // PODS
    groups = [_group(number, number % services) for number in range(rules // 10)]
    return json.dumps({"groups": groups})  # JSON is YAML


def _group(number: int, service: int) -> dict[str, object]:
    path = f'path="/api/{service}"'
    labels = {"slo": str(number)}
    requests = f"requests_total{{{path}}}"
    errors = f'requests_total{{{path},code=~"5.."}}'
    recorded = [
        {
            "record": f"slo:errors:ratio_rate{window}",
            "expr": f"sum(rate({errors}[{window}])) / sum(rate({requests}[{window}]))",
            "labels": labels,
        }
        for window in WINDOWS
    ]
    rate = {
        "record": "slo:requests:rate5m",
        "expr": f"sum by (code) (rate({requests}[5m]))",
        "labels": labels,
    }
    by_pod = {
        "record": "slo:requests_pod:rate5m",
        "expr": f"sum by (pod) (rate({requests}[5m]))",
        "labels": labels,
    }
    burning = [
        {
            "alert": f"Burning{fast}",
            "expr": (
                f'slo:errors:ratio_rate{fast}{{slo="{number}"}} > {limit}'
                f' and slo:errors:ratio_rate{slow}{{slo="{number}"}} > {limit}'
            ),
            "for": "2m",
            "labels": {"severity": "page"},
        }
        for fast, slow, limit in (("5m", "1h", 0.9), ("30m", "1h", 0.8), ("5m", "30m", 0.7))
    ]
    others = [
        {"alert": "NoTraffic", "expr": f"sum(rate({requests}[5m])) == 0", "for": "5m", "labels": labels},
        {"alert": "PodWithoutTraffic", "expr": f"sum by (pod) (rate({requests}[5m])) == 0", "labels": labels},
    ]
    return {"name": f"slo-{number}", "rules": [*recorded, rate, by_pod, *burning, *others]}


def _evaluate(program: Program, data: Dataset, rules: str, seconds: float) -> tuple[float, float]:
    """CPU seconds a round of all rules, and RSS bytes."""
    with tempfile.TemporaryDirectory() as folder:
        config = f"global: {{evaluation_interval: {INTERVAL_SECONDS}s}}\nrule_files: ['{folder}/*.yml']\n"
        with running(program, config) as started:
            for body in remote_write_requests(data):
                started.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
            # Prometheus takes no old samples once a rule has written new ones: rules come last.
            Path(folder, "rules.yml").write_text(rules)
            started.process.send_signal(signal.SIGHUP)
            time.sleep(2 * INTERVAL_SECONDS + 1)  # the first rounds make the series
            cpu, evaluations = started.cpu_seconds(), _evaluations(started)
            time.sleep(seconds)
            cpu, evaluations = started.cpu_seconds() - cpu, _evaluations(started) - evaluations
            groups = json.loads(started.get("/api/v1/rules"))["data"]["groups"]
            healths = [rule["health"] for group in groups for rule in group["rules"]]
            assert set(healths) == {"ok"}, set(healths)
            return cpu / evaluations * len(healths), started.rss_bytes()


def _evaluations(program: Running) -> float:
    lines = program.get("/metrics").decode().splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith("prometheus_rule_evaluations_total")
    )
