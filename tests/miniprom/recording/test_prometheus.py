"""`miniprom why` and `miniprom record`, asked of a real Prometheus."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.programs import PROMETHEUS
from miniprom.api.results import encode_result
from miniprom.cli import main
from miniprom.recording import moved, read_recording
from miniprom.recording.file import Answer
from miniprom.recording.replay import store_of
from miniprom.testing import FakePrometheus
from query import Engine, EngineOptions, Result
from tests.miniprom.recording.conftest import Peer
from tsdb import Snapshot

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PROMETHEUS.is_installed, reason="prometheus is not installed"),
]


def asked_why(prometheus: Peer, capsys: pytest.CaptureFixture[str], query: str, seconds_ago: int = 0) -> str:
    """What the command prints of an empty answer."""
    assert main(["why", prometheus.url, query, "--time", prometheus.at(seconds_ago)]) == 1
    return capsys.readouterr().out


def test_metric_that_is_near_is_named(prometheus: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked_why(prometheus, capsys, "sum(http_request_total)") == (
        "1:5: http_request_total\n"
        "    no series of http_request_total is stored; did you mean http_requests_total?\n"
    )


def test_values_that_the_label_has_are_told(prometheus: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    told = asked_why(prometheus, capsys, 'http_requests_total{code="501"}')
    assert 'code is "200", "500"; did you mean 500' in told


def test_matchers_that_no_series_satisfies_together(
    prometheus: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    told = asked_why(prometheus, capsys, 'http_requests_total{pod="b",code="500"}')
    assert 'of 1 series with pod="b" none satisfies code="500"; there, code is "200"' in told


def test_stale_series_is_told_though_the_api_shows_no_markers(
    prometheus: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "stale since" in asked_why(prometheus, capsys, "finished", seconds_ago=200)


def test_series_that_went_silent_is_told_with_its_last_sample(
    prometheus: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    told = asked_why(prometheus, capsys, "silent")
    assert "15m3s210ms earlier, and a query looks back 5m" in told


def test_short_range_is_told_with_the_interval(prometheus: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    assert "samples are 1m apart: write [4m]" in asked_why(prometheus, capsys, "rate(slow_total[50s])")


def test_labels_without_a_name_are_told(prometheus: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    assert 'pod is "a", "b"' in asked_why(prometheus, capsys, '{pod="zzzzz"}')


def test_answer_that_is_there_has_no_findings(prometheus: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", prometheus.url, "slow_total", "--time", prometheus.at(0)]) == 0
    assert capsys.readouterr().out == "the answer is not empty\n"


def test_query_that_is_no_promql_is_drawn(prometheus: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", prometheus.url, "sum("]) == 1
    assert "parse error" in capsys.readouterr().err


QUERIES = [
    "http_requests_total",
    "sum by (code) (rate(http_requests_total[5m]))",
    "restarted",
    "count(finished)",
    "silent or vector(0)",
    "max_over_time(restarted[20m:1m])",
    "http_requests_total offset 10m",
    "rate(slow_total[3m:30s] offset 2m)",
    "time() - timestamp(finished)",
    "count_over_time(silent[20m])",
    "1 + 1",
]


@pytest.mark.parametrize("seconds_ago", [7, 293, 1207])
def test_replayed_queries_answer_as_recorded(prometheus: Peer, tmp_path: Path, seconds_ago: int) -> None:
    file = tmp_path / "recording.json.gz"
    queries = [argument for query in QUERIES for argument in ("--query", query)]
    assert (
        main(["record", prometheus.url, *queries, "--time", prometheus.at(seconds_ago), "-o", str(file)]) == 0
    )
    recording = read_recording(file.read_bytes())
    assert [answer.query for answer in recording.answers] == QUERIES
    # A multiple of all steps of subqueries, which are absolute.
    recording = moved(recording, recording.now_ms + 86_400_000)
    snapshot = store_of(recording.samples).snapshot(recording.now_ms)
    for answer in recording.answers:
        assert replayed(snapshot, answer) == shown(answer.data), answer.query


def test_replayed_ranges_answer_as_recorded(prometheus: Peer, tmp_path: Path) -> None:
    file, queries = tmp_path / "recording.json", tmp_path / "queries.txt"
    queries.write_text("# a dashboard\n\n" + "\n".join(QUERIES))
    window = ["--start", prometheus.at(1807), "--end", prometheus.at(7), "--step", "10s"]
    assert main(["record", prometheus.url, "--queries", str(queries), *window, "-o", str(file)]) == 0
    recording = read_recording(file.read_bytes())
    recording = moved(recording, recording.now_ms - 86_400_000)
    snapshot = store_of(recording.samples).snapshot(recording.now_ms)
    for answer in recording.answers:
        assert replayed(snapshot, answer) == shown(answer.data), answer.query


def test_fake_answers_now_what_was_recorded(
    prometheus: Peer, prometheus_named: Callable[[str], FakePrometheus], tmp_path: Path
) -> None:
    file, query = tmp_path / "recording.json.gz", "sum by (code) (rate(http_requests_total[5m])) > 0"
    window = ["--start", prometheus.at(307), "--end", prometheus.at(7), "--step", "30s"]
    assert main(["record", prometheus.url, "--query", query, *window, "-o", str(file)]) == 0
    fake = prometheus_named("replay")
    fake.load_recording(file)
    (answer,) = moved(read_recording(file.read_bytes()), int(fake.now() * 1000)).answers
    times = {"start": str(answer.start / 1000), "end": str(answer.end / 1000), "step": "30"}
    assert shown(fake.api("query_range", {"query": query, **times})) == shown(answer.data)


def test_selector_records_raw_series_alone(prometheus: Peer, tmp_path: Path) -> None:
    file = tmp_path / "recording.json"
    window = ["--start", prometheus.at(600), "--end", prometheus.at(0)]
    assert main(["record", prometheus.url, "--match", '{pod="b"}', *window, "-o", str(file)]) == 0
    recording = read_recording(file.read_text())
    assert list(recording.samples) == [(("__name__", "http_requests_total"), ("code", "200"), ("pod", "b"))]
    assert not recording.answers


def replayed(snapshot: Snapshot, answer: Answer) -> Any:
    engine = Engine(EngineOptions())
    if answer.step:
        result = engine.range(snapshot, answer.query, answer.start, answer.end, answer.step)
    else:
        result = engine.instant(snapshot, answer.query, answer.start)
    return shown(data_of(result))


def data_of(result: Result) -> dict[str, Any]:
    """As the API answers."""
    import json

    kind, pieces = encode_result(result.value)
    return {"resultType": kind, "result": json.loads(b"".join(pieces))}


def shown(data: dict[str, Any]) -> Any:
    """An answer with its series in one order, and values as numbers."""
    if data["resultType"] == "scalar":
        return float(data["result"][1])
    series = []
    for each in data["result"]:
        points = each["values"] if "values" in each else [each["value"]]
        numbers = [(time, pytest.approx(float(value), rel=1e-12)) for time, value in points]
        series.append((sorted(each["metric"].items()), numbers))
    return sorted(series, key=lambda one: one[0])
