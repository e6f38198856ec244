"""/series, /labels, /label/<name>/values."""

import io

import pytest

from tests.miniprom.api.harness import NOW, Api


def test_series_lists_label_sets(api: Api) -> None:
    answer = api.get("/api/v1/series", {"match[]": "up"})
    assert answer.data == [{"__name__": "up", "job": "a"}, {"__name__": "up", "job": "b"}]


def test_series_that_several_selectors_match_is_listed_once(api: Api) -> None:
    answer = api.get("/api/v1/series", [("match[]", "up"), ("match[]", '{job="a"}')])
    assert sorted(series["__name__"] for series in answer.data) == ["requests_total", "up", "up"]


def test_series_outside_the_time_range_is_not_listed(api: Api) -> None:
    params = [("match[]", "up"), ("end", str(NOW - 31))]
    assert api.get("/api/v1/series", params).data == []


def test_series_without_a_selector_is_refused(api: Api) -> None:
    answer = api.get("/api/v1/series")
    assert answer.status == 400
    assert answer.json["error"] == "no match[] parameter provided"


@pytest.mark.parametrize("selector", ["{}", '{job=~".*"}'])
def test_selector_that_matches_everything_is_refused(api: Api, selector: str) -> None:
    message = "match[] must contain at least one non-empty matcher"
    series = api.get("/api/v1/series", {"match[]": selector})
    labels = api.get("/api/v1/labels", {"match[]": selector})
    assert (series.status, series.json["error"]) == (400, f'invalid parameter "match[]": {message}')
    assert (labels.status, labels.json["error"]) == (400, message)


@pytest.mark.parametrize("selector", ["up offset 5m", "up[5m]", "sum(up)", "up @ 0"])
def test_match_must_be_a_plain_selector(api: Api, selector: str) -> None:
    assert api.get("/api/v1/series", {"match[]": selector}).status == 400


def test_series_limit_cuts_and_warns(api: Api) -> None:
    answer = api.get("/api/v1/series", {"match[]": "up", "limit": "1"})
    assert len(answer.data) == 1
    assert answer.json["warnings"] == ["results truncated due to limit"]


def test_label_names_are_sorted(api: Api) -> None:
    assert api.get("/api/v1/labels").data == ["__name__", "code", "job", "k8s.pod"]


def test_label_names_of_selected_series(api: Api) -> None:
    assert api.get("/api/v1/labels", {"match[]": "up"}).data == ["__name__", "job"]


def test_label_values_are_sorted(api: Api) -> None:
    assert api.get("/api/v1/label/job/values").data == ["a", "b"]


def test_label_values_of_selected_series(api: Api) -> None:
    assert api.get("/api/v1/label/job/values", {"match[]": "requests_total"}).data == ["a"]


def test_label_values_limit_cuts_and_warns(api: Api) -> None:
    answer = api.get("/api/v1/label/job/values", {"limit": "1"})
    assert answer.json == {"status": "success", "data": ["a"], "warnings": ["results truncated due to limit"]}


def test_values_of_an_unknown_label_are_none(api: Api) -> None:
    assert api.get("/api/v1/label/nowhere/values").data == []


def test_broken_escape_in_a_form_is_refused(api: Api) -> None:
    answer = api.request(
        "POST",
        "/api/v1/series",
        data=b"match[]=%zz",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 400
    assert answer.json["error"] == 'error parsing form values: invalid URL escape "%zz"'


def test_form_of_more_than_ten_mebibytes_is_refused(api: Api) -> None:
    answer = api.request(
        "POST",
        "/api/v1/series",
        data=io.BytesIO(b"match[]=" + b"x" * (10 << 20)),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 400
    assert answer.json["error"] == "error parsing form values: http: request body too large"
