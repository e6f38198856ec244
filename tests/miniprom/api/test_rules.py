"""/rules and /alerts: fields, filters and pages. Source: upstream's api_test.go and OpenAPI description."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miniprom.rules.rule_state import AlertingState
from tests.miniprom.api.harness import NOW_MS, Api, Params, serving

RULES = """
groups:
  - name: one
    interval: 1m
    limit: 9
    labels: {team: infra}
    rules:
      - {record: "job:up", expr: "sum by(job)(up)"}
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1m
        labels: {severity: page}
        annotations: {summary: it is down}
  - name: two
    rules: [{record: broken, expr: "up + on() up"}, {alert: Quiet, expr: "up > 1"}]
"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Two files of two groups each; the groups of the first are evaluated."""
    folder = tmp_path_factory.mktemp("rules")
    for name in ("a.yml", "b.yml"):
        (folder / name).write_text(RULES)
    with serving(f"rule_files: ['{folder}/*.yml']") as served:
        for job in ("a", "b"):
            served.add({"__name__": "up", "job": job}, [(0, 0.0)])
        served.start_rules()
        _evaluate(served, str(folder / "a.yml"))
        yield served


def _evaluate(api: Api, file: str) -> None:
    services = api.server.services
    for group in services.rules.groups():
        if group.group.file == file:
            for stage in group.stages:
                environment = services.rules.environment
                evaluated = group.evaluate(stage, services.snapshot(), NOW_MS, environment)
                group.commit(stage, evaluated, NOW_MS, environment)


def groups(api: Api, params: Params = ()) -> list[Any]:
    answer = api.get("/api/v1/rules", params)
    assert answer.status == 200, answer.text
    found: list[Any] = answer.data["groups"]
    return found


def names(api: Api, *params: tuple[str, str]) -> list[tuple[str, str, list[str]]]:
    return [
        (Path(group["file"]).name, group["name"], [rule["name"] for rule in group["rules"]])
        for group in groups(api, params)
    ]


ONE, TWO = ["job:up", "Down"], ["broken", "Quiet"]


def test_groups_are_listed_by_file_and_name(api: Api) -> None:
    assert names(api) == [
        *(("a.yml", "one", ONE), ("a.yml", "two", TWO)),
        *(("b.yml", "one", ONE), ("b.yml", "two", TWO)),
    ]


def test_group_tells_its_settings(api: Api) -> None:
    group = groups(api)[0]
    assert {key: group[key] for key in ("name", "interval", "limit", "lastEvaluation")} == {
        "name": "one",
        "interval": 60.0,
        "limit": 9,
        "lastEvaluation": "0001-01-01T00:00:00Z",
    }


def test_recording_rule_has_all_its_fields(api: Api) -> None:
    rule = groups(api)[0]["rules"][0]
    assert rule.pop("evaluationTime") > 0
    assert rule == {
        "name": "job:up",
        "query": "sum by (job) (up)",
        "labels": {"team": "infra"},
        "health": "ok",
        "lastEvaluation": "2023-11-14T22:13:20Z",
        "type": "recording",
    }


def test_alerting_rule_has_all_its_fields(api: Api) -> None:
    rule = groups(api)[0]["rules"][1]
    assert rule.pop("evaluationTime") > 0
    alerts = rule.pop("alerts")
    assert rule == {
        "state": "pending",
        "name": "Down",
        "query": "up == 0",
        "duration": 300.0,
        "keepFiringFor": 60.0,
        "labels": {"severity": "page", "team": "infra"},
        "annotations": {"summary": "it is down"},
        "health": "ok",
        "lastEvaluation": "2023-11-14T22:13:20Z",
        "type": "alerting",
    }
    assert alerts[0] == {
        "labels": {"alertname": "Down", "job": "a", "severity": "page", "team": "infra"},
        "annotations": {"summary": "it is down"},
        "state": "pending",
        "activeAt": "2023-11-14T22:13:20Z",
        "value": "0e+00",
    }


def test_failing_rule_tells_why(api: Api) -> None:
    rule = groups(api)[1]["rules"][0]
    assert rule["health"] == "err"
    assert "many-to-many matching not allowed" in rule["lastError"]


def test_rule_that_was_not_evaluated_yet_says_so(api: Api) -> None:
    rules = groups(api)[2]["rules"]
    assert [rule["health"] for rule in rules] == ["unknown", "unknown"]
    assert rules[1]["state"] == "unknown"
    assert rules[1]["lastEvaluation"] == "0001-01-01T00:00:00Z"


def test_rule_without_alerts_is_inactive(api: Api) -> None:
    assert groups(api)[1]["rules"][1]["state"] == "inactive"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([("type", "alert"), ("file[]", "F/a.yml")],
         [("a.yml", "one", ["Down"]), ("a.yml", "two", ["Quiet"])]),
        ([("type", "record"), ("rule_group[]", "one")],
         [("a.yml", "one", ["job:up"]), ("b.yml", "one", ["job:up"])]),
        ([("rule_name[]", "Down"), ("rule_name[]", "broken"), ("file[]", "F/b.yml")],
         [("b.yml", "one", ["Down"]), ("b.yml", "two", ["broken"])]),
        ([("match[]", '{severity="page"}')],
         [("a.yml", "one", ["Down"]), ("b.yml", "one", ["Down"])]),
        ([("match[]", '{team="infra",severity=""}'), ("match[]", '{severity=~"p.*"}'), ("file[]", "F/a.yml")],
         [("a.yml", "one", ONE)]),
        ([("rule_name[]", "none")], []),
    ],
)  # fmt: skip
def test_filters(api: Api, params: list[tuple[str, str]], expected: list[Any]) -> None:
    folder = str(Path(groups(api)[0]["file"]).parent)
    assert names(api, *((name, value.replace("F/", f"{folder}/")) for name, value in params)) == expected


def test_alerts_can_be_left_out(api: Api) -> None:
    assert groups(api, {"exclude_alerts": "true"})[0]["rules"][1]["alerts"] is None


def test_pages_cover_all_groups_without_overlap(api: Api) -> None:
    seen, params = [], {"group_limit": "3"}
    while True:
        data = api.get("/api/v1/rules", params).data
        seen.append([(Path(group["file"]).name, group["name"]) for group in data["groups"]])
        if "groupNextToken" not in data:
            break
        params = {"group_limit": "3", "group_next_token": data["groupNextToken"]}
    assert seen == [[("a.yml", "one"), ("a.yml", "two"), ("b.yml", "one")], [("b.yml", "two")]]


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"type": "other"}, 'invalid parameter "type": not supported value "other"'),
        ({"exclude_alerts": "maybe"}, 'invalid parameter "exclude_alerts": error converting exclude_alerts'),
        ({"group_limit": "0"}, 'invalid parameter "group_limit": group_limit needs to be greater than 0'),
        ({"group_limit": "x"}, 'invalid parameter "group_limit": group_limit needs to be a valid number'),
        ({"group_next_token": "x"}, 'invalid parameter "group_next_token": group_limit needs to be present'),
        (
            {"group_limit": "1", "group_next_token": "x"},
            "invalid parameter \"group_next_token\": invalid group_next_token 'x'. were rule groups changed?",
        ),
        ({"match[]": "{}"}, "match[] must contain at least one non-empty matcher"),
    ],
)
def test_bad_parameters_are_refused(api: Api, params: dict[str, str], error: str) -> None:
    answer = api.get("/api/v1/rules", params)
    assert answer.status == 400
    assert answer.json["error"].startswith(error)


def test_alerts_of_all_rules_are_listed(api: Api) -> None:
    alerts = api.get("/api/v1/alerts").data["alerts"]
    assert [alert["labels"]["job"] for alert in alerts] == ["a", "b"]


def test_alert_that_keeps_firing_is_firing_and_tells_since_when(api: Api) -> None:
    group = api.server.services.rules.groups()[2]
    state = group.rules[1]
    assert isinstance(state, AlertingState)
    environment = api.server.services.rules.environment
    (stage,) = group.stages
    for minute in range(0, 10 * 60_000, 5 * 60_000):
        evaluated = group.evaluate(stage, api.store.snapshot(NOW_MS), NOW_MS, environment)
        time_ms = NOW_MS + minute
        group.commit(stage, evaluated, time_ms, environment)
    later_ms = NOW_MS + 10 * 60_000
    gone = group.evaluate(stage, api.store.snapshot(later_ms), later_ms, environment)
    group.commit(stage, gone, later_ms, environment)
    alert = groups(api)[2]["rules"][1]["alerts"][0]
    assert (alert["state"], alert["keepFiringSince"]) == ("firing", "2023-11-14T22:23:20Z")
    state.alerts.clear()
