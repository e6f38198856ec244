"""/api/v1/why."""

import pytest

from tests.miniprom.api.harness import NOW, Api


def test_findings_have_kind_place_and_text(api: Api) -> None:
    answer = api.get("/api/v1/why", {"query": "1 +\n sum(upp)"})
    assert answer.data == {
        "empty": True,
        "findings": [
            {
                "kind": "unknown_metric",
                "expr": "upp",
                "position": "2:6",
                "text": "no series of upp is stored; did you mean up?",
            }
        ],
    }


def test_answer_that_is_there_has_no_findings(api: Api) -> None:
    assert api.get("/api/v1/why", {"query": "up"}).data == {"empty": False, "findings": []}


def test_times_are_those_of_a_query(api: Api) -> None:
    data = api.post("/api/v1/why", {"query": "up", "time": str(NOW + 3600)}).data
    assert "1h earlier" in data["findings"][0]["text"]
    window = {"start": str(NOW), "end": str(NOW + 3600), "step": "60"}
    assert not api.get("/api/v1/why", {"query": "up", **window}).data["empty"]


def test_lookback_is_that_of_the_request(api: Api) -> None:
    params = {"query": "up", "time": str(NOW + 60), "lookback_delta": "30s"}
    assert api.get("/api/v1/why", params).data["findings"][0]["text"].endswith("looks back 30s")


@pytest.mark.parametrize("params", [{"query": "sum("}, {"query": "up", "time": "x"}, {}])
def test_what_is_no_query_is_refused(api: Api, params: dict[str, str]) -> None:
    answer = api.get("/api/v1/why", params)
    assert (answer.status, answer.json["errorType"]) == (400, "bad_data")


def test_query_that_fails_fails_here_too(api: Api) -> None:
    answer = api.get("/api/v1/why", {"query": "up + on () up"})
    assert (answer.status, answer.json["errorType"]) == (422, "execution")
