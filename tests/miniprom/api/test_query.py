"""/query and /query_range: parameters, shapes, errors."""

import pytest

from tests.miniprom.api.harness import NOW, Api, serving


def test_scalar_is_a_pair_of_time_and_text(api: Api) -> None:
    assert api.query("1+1", time="4") == {"resultType": "scalar", "result": [4, "2"]}


def test_string_is_a_pair_of_time_and_text(api: Api) -> None:
    assert api.query('"a\\"b"', time="4.5") == {"resultType": "string", "result": [4.5, 'a"b']}


def test_time_of_a_scalar_has_no_superfluous_decimals(api: Api) -> None:
    answer = api.get("/api/v1/query", {"query": "1", "time": "4.5"})
    assert '"result":[4.5,"1"]' in answer.text


def test_vector_holds_a_metric_and_one_value_each(api: Api) -> None:
    assert api.query("up") == {
        "resultType": "vector",
        "result": [
            {"metric": {"__name__": "up", "job": "a"}, "value": [NOW, "1"]},
            {"metric": {"__name__": "up", "job": "b"}, "value": [NOW, "0"]},
        ],
    }


def test_empty_vector_is_an_empty_list(api: Api) -> None:
    assert api.query("no_such_metric") == {"resultType": "vector", "result": []}


def test_range_selector_of_an_instant_query_gives_the_samples_as_stored(api: Api) -> None:
    assert api.query("up{job='b'}[20s]") == {
        "resultType": "matrix",
        "result": [
            {"metric": {"__name__": "up", "job": "b"}, "values": [[NOW - 15, "0"], [NOW, "0"]]},
        ],
    }


def test_range_query_gives_a_point_a_step_where_there_is_one(api: Api) -> None:
    params = {"query": "up == 1", "start": str(NOW - 60), "end": str(NOW), "step": "15"}
    answer = api.get("/api/v1/query_range", params)
    assert answer.data == {
        "resultType": "matrix",
        "result": [
            {
                "metric": {"__name__": "up", "job": "a"},
                "values": [[NOW - 30, "1"], [NOW - 15, "1"], [NOW, "1"]],
            }
        ],
    }


def test_empty_matrix_is_an_empty_list(api: Api) -> None:
    answer = api.get("/api/v1/query_range", {"query": "none", "start": "0", "end": "60", "step": "15s"})
    assert answer.data == {"resultType": "matrix", "result": []}


@pytest.mark.parametrize(
    "time", [str(NOW), f"{NOW}.000", "2023-11-14T22:13:20Z", "2023-11-14T23:13:20.000+01:00", ""]
)
def test_time_is_unix_or_rfc3339_and_now_if_empty(api: Api, time: str) -> None:
    assert api.query("up{job='a'}", time=time)["result"][0]["value"] == [NOW, "1"]


def test_form_body_is_read_like_the_url(api: Api) -> None:
    answer = api.post("/api/v1/query", {"query": "up{job='a'}", "time": str(NOW)})
    assert answer.data["result"][0]["value"] == [NOW, "1"]


def test_form_body_stands_before_the_url(api: Api) -> None:
    assert api.post("/api/v1/query?query=1", {"query": "2", "time": "0"}).data["result"] == [0, "2"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"query": "up", "time": "soon"},
            "invalid parameter \"time\": invalid time value for 'time': "
            'cannot parse "soon" to a valid timestamp',
        ),
        (
            {"query": "up", "timeout": "soon"},
            'invalid parameter "timeout": cannot parse "soon" to a valid duration',
        ),
        ({"query": "up", "limit": "-1"}, 'invalid parameter "limit": limit must be non-negative'),
        (
            {"query": "up", "lookback_delta": "soon"},
            'error parsing lookback delta duration: cannot parse "soon" to a valid duration',
        ),
        (
            {"query": ""},
            'invalid parameter "query": unknown position: parse error: no expression found in input',
        ),
        (
            {"query": "up{"},
            'invalid parameter "query": 1:4: parse error: unexpected end of input inside braces',
        ),
    ],
)
def test_bad_parameter_of_an_instant_query_is_refused(api: Api, params: dict[str, str], message: str) -> None:
    answer = api.get("/api/v1/query", params)
    assert answer.status == 400
    assert answer.json == {"status": "error", "errorType": "bad_data", "error": message}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"start": ""}, 'invalid parameter "start": cannot parse "" to a valid timestamp'),
        ({"end": "1"}, 'invalid parameter "end": end timestamp must not be before start time'),
        ({"step": ""}, 'invalid parameter "step": cannot parse "" to a valid duration'),
        (
            {"step": "0"},
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer",
        ),
        (
            {"end": "11011"},
            "exceeded maximum resolution of 11,000 points per timeseries. "
            "Try decreasing the query resolution (?step=XX)",
        ),
        (
            {"query": "up[1m]"},
            'invalid parameter "query": invalid expression type "range vector" for range query, '
            "must be Scalar or instant Vector",
        ),
    ],
)
def test_bad_parameter_of_a_range_query_is_refused(api: Api, changed: dict[str, str], message: str) -> None:
    params = {"query": "up", "start": "10", "end": "20", "step": "1", **changed}
    answer = api.get("/api/v1/query_range", params)
    assert answer.status == 400
    assert answer.json == {"status": "error", "errorType": "bad_data", "error": message}


def test_eleven_thousand_steps_are_accepted(api: Api) -> None:
    params = {"query": "1", "start": "10", "end": "11010", "step": "1"}
    assert api.get("/api/v1/query_range", params).status == 200


def test_failure_of_evaluation_is_422(api: Api) -> None:
    answer = api.get("/api/v1/query", {"query": "up * on() up"})
    assert answer.status == 422
    assert answer.json["errorType"] == "execution"


def test_timeout_is_503_and_counts_from_arrival(api: Api) -> None:
    answer = api.get("/api/v1/query", {"query": "up", "timeout": "0"})
    assert answer.status == 503
    assert answer.json["errorType"] == "timeout"


def test_limit_cuts_and_warns(api: Api) -> None:
    answer = api.get("/api/v1/query", {"query": "up", "limit": "1"})
    assert len(answer.data["result"]) == 1
    assert answer.json["warnings"] == ["results truncated due to limit"]


def test_limit_that_is_met_exactly_does_not_warn(api: Api) -> None:
    assert "warnings" not in api.get("/api/v1/query", {"query": "up", "limit": "2"}).json


def test_limit_cuts_a_matrix(api: Api) -> None:
    params = {"query": "up", "start": str(NOW), "end": str(NOW), "step": "1", "limit": "1"}
    assert len(api.get("/api/v1/query_range", params).data["result"]) == 1


def test_infos_are_told(api: Api) -> None:
    answer = api.get("/api/v1/query", {"query": "rate(up[1m])"})
    assert answer.json["infos"] == [
        "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
        '"up" (1:6)'
    ]


def test_stats_name_timings_and_samples(api: Api) -> None:
    stats = api.get("/api/v1/query", {"query": "up", "stats": "all"}).data["stats"]
    assert stats["timings"].keys() == {
        "evalTotalTime",
        "resultSortTime",
        "queryPreparationTime",
        "innerEvalTime",
        "execQueueTime",
        "execTotalTime",
    }
    assert stats["samples"] == {"totalQueryableSamples": 2, "samplesRead": 2, "peakSamples": 2}


def test_innermost_time_is_part_of_the_whole(api: Api) -> None:
    timings = api.get("/api/v1/query", {"query": "up", "stats": "all"}).data["stats"]["timings"]
    assert 0 < timings["innerEvalTime"] < timings["evalTotalTime"] < timings["execTotalTime"]


def test_stats_per_step_are_given_where_the_feature_is_enabled() -> None:
    with serving(**{"enable-feature": "promql-per-step-stats"}) as api:
        params = {"query": "time()", "start": "10", "end": "20", "step": "5", "stats": "all"}
        samples = api.get("/api/v1/query_range", params).data["stats"]["samples"]
    assert samples["totalQueryableSamplesPerStep"] == [[10, 0], [15, 0], [20, 0]]


def test_stats_of_another_value_are_given_with_a_warning(api: Api) -> None:
    answer = api.get("/api/v1/query", {"query": "up", "stats": "1"})
    assert "stats" in answer.data
    assert answer.json["warnings"] == [
        'value "1" for parameter "stats" is deprecated and will be rejected in the next major release, '
        'use "true" or "all"'
    ]


def test_lookback_can_be_set_for_one_query(api: Api) -> None:
    assert api.query("my", lookback_delta="1m")["result"] == []
    later = str(NOW + 90)
    assert len(api.query("up", time=later)["result"]) == 2
    assert api.query("up", time=later, lookback_delta="1m")["result"] == []


def test_large_answer_is_compressed_if_asked(api: Api) -> None:
    params = {"query": "up", "start": str(NOW - 300), "end": str(NOW + 300), "step": "1"}
    plain = api.get("/api/v1/query_range", params, {"Accept-Encoding": "identity"})
    packed = api.request("GET", "/api/v1/query_range", params=params, headers={"Accept-Encoding": "gzip"})
    assert plain.headers.get("Content-Encoding") is None
    assert packed.headers["Content-Encoding"] == "gzip"
    assert plain.json == packed.json


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_answer_of_more_than_a_mebibyte_is_streamed(api: Api, encoding: str) -> None:
    query = " or ".join(f'label_replace(vector({n}), "n", "{n}", "", "")' for n in range(8))
    params = {"query": query, "start": str(NOW), "end": str(NOW + 11000), "step": "1"}
    answer = api.get("/api/v1/query_range", params, {"Accept-Encoding": encoding})
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert len(answer.body) > 1 << 20
    assert [series["values"] for series in answer.data["result"]] == [
        [[NOW + step, str(n)] for step in range(11001)] for n in range(8)
    ]


def test_format_query_lays_out(api: Api) -> None:
    assert api.get("/api/v1/format_query", {"query": "sum by(x)(up)"}).data == "sum by (x) (up)"


def test_parse_query_gives_the_tree(api: Api) -> None:
    assert api.get("/api/v1/parse_query", {"query": "1"}).data == {"type": "numberLiteral", "val": "1"}


def test_exemplars_are_none(api: Api) -> None:
    assert api.get("/api/v1/query_exemplars", {"query": "up", "start": "0", "end": "1"}).data == []


def test_explain_tells_what_each_node_of_the_plan_gave(api: Api) -> None:
    api.add({"__name__": "explained", "job": "a"}, [(10, 1.0)])
    plan = api.get("/api/v1/explain", {"query": "sum(explained)"}).data
    assert plan.pop("seconds") > 0
    (operand,) = plan.pop("operands")
    assert plan == {"node": "sum", "series": 1, "samples": 1}
    assert operand["node"] == "newest of explained"


def test_explain_of_a_range_counts_all_steps(api: Api) -> None:
    api.add({"__name__": "explained", "job": "a"}, [(10, 1.0)])
    params = {"query": "explained", "start": str(NOW), "end": str(NOW + 60), "step": "30s"}
    assert api.get("/api/v1/explain", params).data["samples"] == 3


def test_explain_of_what_can_not_be_parsed_is_refused(api: Api) -> None:
    answer = api.get("/api/v1/explain", {"query": "sum("})
    assert (answer.status, answer.json["errorType"]) == (400, "bad_data")
