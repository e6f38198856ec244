"""What real clients send, and what they choke on."""

from tests.miniprom.api.harness import NOW, Api


def test_grafana_health_check_evaluates_at_the_fourth_second_of_1970(api: Api) -> None:
    answer = api.post("/api/v1/query", {"query": "1+1", "time": "4"})
    assert answer.data == {"resultType": "scalar", "result": [4, "2"]}


def test_grafana_finds_no_features_that_would_mean_mimir(api: Api) -> None:
    data = api.get("/api/v1/status/buildinfo").data
    assert data["version"].startswith("3.")
    assert "features" not in data


def test_grafana_sends_label_names_in_escaped_form(api: Api) -> None:
    assert api.get("/api/v1/label/U__k8s_2e_pod/values").data == ["p"]


def test_grafana_asks_for_labels_by_post(api: Api) -> None:
    answer = api.post("/api/v1/labels", [("match[]", "up"), ("start", str(NOW - 60)), ("end", str(NOW))])
    assert answer.data == ["__name__", "job"]


def test_grafana_sends_fractional_range_parameters(api: Api) -> None:
    form = {"query": "up", "start": f"{NOW}.5", "end": f"{NOW + 15}.5", "step": "15.0"}
    values = api.post("/api/v1/query_range", form).data["result"][0]["values"]
    assert values == [[NOW + 0.5, "1"], [NOW + 15.5, "1"]]


def test_post_to_a_get_endpoint_is_405_so_that_clients_fall_back(api: Api) -> None:
    assert api.post("/api/v1/metadata").status == 405


def test_flagger_sends_no_time_and_a_trailing_comma(api: Api) -> None:
    result = api.get("/api/v1/query", {"query": 'sum(requests_total{job=~"a|b",})'}).data["result"]
    assert result == [{"metric": {}, "value": [NOW, "60"]}]


def test_flagger_probe_returns_exactly_one(api: Api) -> None:
    assert api.query("vector(1)")["result"] == [{"metric": {}, "value": [NOW, "1"]}]


def test_keda_sends_rfc3339_time_and_parameters_nobody_knows(api: Api) -> None:
    params = {"query": "sum(up)", "time": "2023-11-14T22:13:20Z", "namespace": "default", "x-tenant": "1"}
    assert api.get("/api/v1/query", params).data["result"] == [{"metric": {}, "value": [NOW, "1"]}]


def test_client_golang_sends_empty_metric_and_limit(api: Api) -> None:
    for path in ("/api/v1/metadata", "/api/v1/targets/metadata"):
        answer = api.get(path, {"metric": "", "limit": "", "match_target": ""})
        assert answer.json["status"] == "success"


def test_prometheus_adapter_sends_an_empty_timeout(api: Api) -> None:
    assert api.get("/api/v1/query", {"query": "1", "timeout": ""}).status == 200


def test_prometheus_adapter_asks_for_series_without_an_end(api: Api) -> None:
    answer = api.get("/api/v1/series", [("match[]", "up"), ("start", str(NOW - 60))])
    assert [series["job"] for series in answer.data] == ["a", "b"]


def test_prometheus_api_client_wants_a_home_page(api: Api) -> None:
    answer = api.get("/")
    assert answer.status == 200
    assert "/api/v1/targets" in answer.text


def test_prometheus_api_client_sends_range_selectors_as_instant_queries(api: Api) -> None:
    data = api.query("up{job='a'}[60s]", time=str(NOW))
    assert data["resultType"] == "matrix"
    assert len(data["result"][0]["values"]) == 3


def test_krr_health_check_gets_an_empty_vector(api: Api) -> None:
    assert api.post("/api/v1/query", {"query": "example"}).data == {"resultType": "vector", "result": []}


def test_krr_reads_the_retention_from_the_flags(api: Api) -> None:
    assert api.get("/api/v1/status/flags").data["storage.tsdb.retention.time"] == "2h"
