"""/status/..., /targets, /metadata, /rules and their kind: names and types of the fields."""

import pytest

from tests.miniprom.api.harness import NOW, NOW_MS, Api, serving

CONFIG = """
global: {external_labels: {cluster: c1}}
scrape_configs:
- job_name: b
  scrape_interval: 10s
  scrape_timeout: 5s
  static_configs: [{targets: ['localhost:1']}]
- job_name: a
  static_configs: [{targets: ['127.0.0.1:2', '127.0.0.1:3']}]
  relabel_configs:
  - {source_labels: [__address__], regex: '.*:3', action: drop}
"""


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("rules", {"groups": []}),
        ("alerts", {"alerts": []}),
        ("alertmanagers", {"activeAlertmanagers": [], "droppedAlertmanagers": []}),
        ("status/walreplay", {"min": 0, "max": 0, "current": 0}),
        ("scrape_pools", {"scrapePools": []}),
        ("targets", {"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}}),
        ("targets/metadata", []),
        ("metadata", {}),
    ],
)
def test_empty_answers_have_the_right_shape(api: Api, path: str, data: object) -> None:
    assert api.get(f"/api/v1/{path}").json == {"status": "success", "data": data}


def test_buildinfo_has_upstreams_fields(api: Api) -> None:
    fields = {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}
    assert api.get("/api/v1/status/buildinfo").data.keys() == fields


def test_runtimeinfo_has_upstreams_fields(api: Api) -> None:
    data = api.get("/api/v1/status/runtimeinfo").data
    assert data["storageRetention"] == "2h"
    assert data["startTime"] == "2023-11-14T22:13:20Z"
    assert data["reloadConfigSuccess"] is True
    assert {"CWD", "hostname", "goroutineCount", "GOMAXPROCS", "corruptionCount"} <= data.keys()


def test_tsdb_status_counts_series(api: Api) -> None:
    data = api.get("/api/v1/status/tsdb", {"limit": "1"}).data
    assert data["headStats"]["numSeries"] == 4
    assert data["headStats"]["minTime"] == NOW_MS - 60_000
    assert data["headStats"]["maxTime"] == NOW_MS
    assert data["seriesCountByMetricName"] == [{"name": "up", "value": 2}]
    assert data["labelValueCountByLabelName"] == [{"name": "__name__", "value": 3}]


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("0", "limit must be a positive number"),
        ("x", "limit must be a number"),
        ("10001", "limit must not exceed 10000"),
    ],
)
def test_tsdb_status_refuses_a_limit(api: Api, limit: str, message: str) -> None:
    answer = api.get("/api/v1/status/tsdb", {"limit": limit})
    assert answer.status == 400
    assert answer.json["error"] == message


def test_config_is_yaml_with_defaults() -> None:
    with serving(CONFIG) as api:
        yaml = api.get("/api/v1/status/config").data["yaml"]
    assert "scrape_interval: 1m" in yaml
    assert "job_name: b" in yaml


RULES = """
scrape_configs:
- job_name: a
  relabel_configs:
  - {target_label: __address__, replacement: 'example.com:443'}
  - {action: labeldrop, regex: __meta_.*}
  - {source_labels: [__address__], regex: 'example.*', action: drop}
  - {target_label: job, replacement: never}
"""


def test_relabelling_is_shown_rule_by_rule() -> None:
    with serving(RULES) as api:
        api.start_scraping()
        labels = '{"job":"a","__address__":"localhost:9090","__meta_x":"y","empty":""}'
        parameters = {"scrapePool": "a", "labels": labels}
        steps = api.get("/api/v1/targets/relabel_steps", parameters).data["steps"]
    after_first = {"job": "a", "__address__": "example.com:443", "__meta_x": "y"}
    assert [(step["output"], step["keep"]) for step in steps] == [
        (after_first, True),
        ({"job": "a", "__address__": "example.com:443"}, True),
        ({}, False),
        ({}, False),
    ]
    defaults = {"separator": ";", "replacement": "$1"}
    assert steps[1]["rule"] == {"action": "labeldrop", "regex": "__meta_.*", **defaults}
    assert steps[2]["rule"] == {
        "source_labels": ["__address__"], "action": "drop", "regex": "example.*", **defaults
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "no scrapePool parameter provided"),
        ({"scrapePool": "a"}, "no labels parameter provided"),
        ({"scrapePool": "b", "labels": "{}"},
         'error retrieving scrape config: scrape pool "b" not found'),
        ({"scrapePool": "a", "labels": "{"}, "error parsing labels: Input data was truncated"),
        ({"scrapePool": "a", "labels": '{"a":1}'},
         "error parsing labels: Expected `str`, got `int` - at `$[...]`"),
    ],
)  # fmt: skip
def test_relabelling_steps_refuse_what_they_cannot_show(parameters: dict[str, str], message: str) -> None:
    with serving(RULES) as api:
        api.start_scraping()
        answer = api.get("/api/v1/targets/relabel_steps", parameters)
    assert (answer.status, answer.json["errorType"], answer.json["error"]) == (400, "bad_data", message)


def test_target_whose_address_makes_no_url_is_shown_with_the_others() -> None:
    addresses = ["localhost:http", "localhost:99999", "[::1", "::1", "localhost:9"]
    with serving(f"scrape_configs: [{{job_name: a, static_configs: [{{targets: {addresses}}}]}}]") as api:
        api.start_scraping()
        shown = {t["scrapeUrl"]: t["globalUrl"] for t in api.get("/api/v1/targets").data["activeTargets"]}
    assert shown["http://localhost:http/metrics"] == "http://localhost:http/metrics"
    assert shown.keys() == {f"http://{address}/metrics" for address in addresses}


def test_targets_are_shown_before_their_first_scrape() -> None:
    with serving(CONFIG) as api:
        api.start_scraping()
        data = api.get("/api/v1/targets").data
        pools = api.get("/api/v1/scrape_pools").data
        chosen = api.get("/api/v1/targets", {"state": "active", "scrapePool": "b"}).data
    assert pools == {"scrapePools": ["a", "b"]}
    assert [target["scrapePool"] for target in data["activeTargets"]] == ["a", "b"]
    target = data["activeTargets"][1]
    assert target["labels"] == {"instance": "localhost:1", "job": "b"}
    assert target["discoveredLabels"]["__address__"] == "localhost:1"
    assert target["scrapeUrl"] == "http://localhost:1/metrics"
    assert target["health"] == "unknown"
    assert target["lastScrape"] == "0001-01-01T00:00:00Z"
    assert (target["scrapeInterval"], target["scrapeTimeout"]) == ("10s", "5s")
    assert [dropped["scrapePool"] for dropped in data["droppedTargets"]] == ["a"]
    assert data["droppedTargetCounts"] == {"a": 1, "b": 0}
    assert len(chosen["activeTargets"]) == 1
    assert chosen["droppedTargets"] == []
    assert chosen["droppedTargetCounts"] is None


def test_own_metrics_are_exposed_under_prometheus_names(api: Api) -> None:
    api.query("up")
    text = api.get("/metrics").text
    assert "prometheus_tsdb_head_series 4.0" in text
    assert 'prometheus_http_requests_total{code="200",handler="/api/v1/query"}' in text
    assert "prometheus_build_info{" in text
    assert 'prometheus_engine_query_duration_seconds_count{slice="inner_eval"}' in text
    assert "process_resident_memory_bytes" in text


def test_cors_headers_are_given_to_other_origins(api: Api) -> None:
    answer = api.get("/api/v1/labels", headers={"Origin": "http://grafana"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Vary"] == "Origin"


def test_preflight_is_answered_without_content(api: Api) -> None:
    answer = api.request("OPTIONS", "/api/v1/query", headers={"Origin": "http://grafana"})
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"


def test_origin_that_does_not_match_gets_no_leave() -> None:
    with serving(**{"web.cors.origin": "https?://good"}) as api:
        good = api.get("/api/v1/labels", headers={"Origin": "http://good"})
        bad = api.get("/api/v1/labels", headers={"Origin": "http://good.evil"})
    assert good.headers["Access-Control-Allow-Origin"] == "http://good"
    assert "Access-Control-Allow-Origin" not in bad.headers


def test_routes_move_below_the_prefix() -> None:
    with serving(**{"web.route-prefix": "/prom/"}) as api:
        assert api.get("/prom/api/v1/query", {"query": "1", "time": str(NOW)}).data["result"] == [NOW, "1"]
        assert api.get("/api/v1/query", {"query": "1"}).status == 404
        assert api.get("/prom/-/healthy").status == 200


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere"])
def test_unknown_path_is_not_found(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.text) == (404, "404 page not found\n")


def test_admin_api_is_disabled(api: Api) -> None:
    answer = api.post("/api/v1/admin/tsdb/snapshot")
    assert answer.status == 500
    assert answer.json == {"status": "error", "errorType": "unavailable", "error": "admin APIs disabled"}
