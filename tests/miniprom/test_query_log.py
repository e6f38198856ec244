"""`query_log_file`: upstream's lines, for queries of requests and of rules."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from miniprom.config import ConfigFileError
from miniprom.query_log import QueryLog
from miniprom.rules.evaluation import Environment
from query import Engine, QueryWindow
from tests.miniprom.api.harness import NOW_MS, Api, serving
from tests.miniprom.rules.evaluating import Rules

INSTANT = QueryWindow(0, 0, 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "queries.log"


@pytest.fixture
def api(file: Path) -> Iterator[Api]:
    with serving() as served:
        served.add({"__name__": "up"}, [(0, 1)])
        served.server.services.query_log.use(str(file))
        yield served


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def log(registry: CollectorRegistry) -> Iterator[QueryLog]:
    log = QueryLog(registry)
    yield log
    log.use("")


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_range_query_is_logged_with_its_bounds_its_step_in_seconds_and_its_client(
    api: Api, file: Path
) -> None:
    api.get("/api/v1/query_range", {"query": "up", "start": "0", "end": "3600", "step": "5"})
    (line,) = lines(file)
    assert line["params"] == {
        "end": "1970-01-01T01:00:00.000Z",
        "query": "up",
        "start": "1970-01-01T00:00:00.000Z",
        "step": 5,
    }
    assert line["httpRequest"] == {"clientIP": "127.0.0.1", "method": "GET", "path": "/api/v1/query_range"}
    assert (line["msg"], line["level"]) == ("promql query logged", "INFO")


def test_line_tells_what_the_query_took(api: Api, file: Path) -> None:
    api.query("up", time=str(NOW_MS / 1000))
    (line,) = lines(file)
    assert line["stats"]["samples"] == {"totalQueryableSamples": 1, "samplesRead": 1, "peakSamples": 1}
    assert line["stats"]["timings"].keys() >= {"evalTotalTime", "execQueueTime", "innerEvalTime"}
    assert "error" not in line


def test_query_that_fails_is_logged_with_its_error(api: Api, file: Path) -> None:
    api.get("/api/v1/query", {"query": "label_replace(up, 'a', '', 'b', '(')"})
    (line,) = lines(file)
    assert "invalid" in line["error"]


def test_query_that_cannot_be_read_is_not_logged(api: Api, file: Path) -> None:
    api.get("/api/v1/query", {"query": "up +"})
    assert lines(file) == []


def test_rules_are_logged_with_their_group(log: QueryLog, file: Path) -> None:
    log.use(str(file))
    rules = Rules("record: r, expr: sum  (up)", environment=Environment(Engine(), query_log=log))
    rules.evaluate(60_000)
    (line,) = lines(file)
    assert line["params"]["query"] == "sum(up)"
    assert line["params"]["start"] == line["params"]["end"] == "1970-01-01T00:01:00.000Z"
    assert line["ruleGroup"] == {"file": "rules.yml", "name": "g"}


def test_file_that_was_moved_away_is_made_anew_by_a_reload(log: QueryLog, file: Path) -> None:
    log.use(str(file))
    log.write("a", INSTANT, {}, "")
    old = file.rename(file.with_suffix(".1"))
    log.use(str(file))
    log.write("b", INSTANT, {}, "")
    assert [line["params"]["query"] for line in lines(old) + lines(file)] == ["a", "b"]


def test_log_is_ended_by_a_configuration_without_it(
    log: QueryLog, registry: CollectorRegistry, file: Path
) -> None:
    log.use(str(file))
    assert registry.get_sample_value("prometheus_engine_query_log_enabled") == 1
    log.use("")
    log.write("a", INSTANT, {}, "")
    assert lines(file) == []
    assert registry.get_sample_value("prometheus_engine_query_log_enabled") == 0


def test_file_that_cannot_be_written_is_refused_and_the_old_one_kept(
    log: QueryLog, file: Path, tmp_path: Path
) -> None:
    log.use(str(file))
    with pytest.raises(ConfigFileError, match="query_log_file"):
        log.use(str(tmp_path / "missing" / "queries.log"))
    log.write("a", INSTANT, {}, "")
    assert len(lines(file)) == 1
