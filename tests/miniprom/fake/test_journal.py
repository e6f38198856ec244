from typing import Any

import pytest

from tests.miniprom.fake.serving import START, Fake


def entries(fake: Fake) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fake.control("GET", "journal")
    return found


def entry(fake: Fake) -> dict[str, Any]:
    [only] = entries(fake)
    return only


def test_query_is_noted_with_what_it_asked_read_and_got(fake: Fake) -> None:
    fake.load({'x_total{a="b"}': "1x10", "y": "2"})
    fake.query(
        "sum  by(b,a) (rate(x_total{b='', a='b'}[1m]))", **{"X-Reason": "test", "Authorization": "Bearer s"}
    )
    found = entry(fake)
    assert found["parsed"] == 'sum by (a, b) (rate(x_total{a="b",b=""}[1m]))'
    assert found.pop("wall_ms") > 0
    assert found.pop("headers").items() >= {"X-Reason": "test", "Authorization": "***"}.items()
    assert found.pop("id") > 0
    assert found == {
        "time": START,
        "method": "GET",
        "path": "/api/v1/query",
        "params": {"query": "sum  by(b,a) (rate(x_total{b='', a='b'}[1m]))"},
        "query": "sum  by(b,a) (rate(x_total{b='', a='b'}[1m]))",
        "parsed": 'sum by (a, b) (rate(x_total{a="b",b=""}[1m]))',
        "kind": "instant",
        "status": 200,
        "error_type": None,
        "error": None,
        "result_type": "vector",
        "series": 1,
        "samples_read": 4,
        "series_read": 1,
        "empty": False,
        "why": [],
        "metrics": ["x_total"],
        "unknown_metrics": [],
        "warnings": [],
        "infos": [],
        "response": '{"status":"success","data":{"resultType":"vector","result":'
        f'[{{"metric":{{"a":"b"}},"value":[{START},"0"]}}]}}}}',
        "fault": None,
        "tenant": "",
    }


def test_empty_answer_is_noted_with_the_reason_and_the_unknown_metric(fake: Fake) -> None:
    fake.load({"http_requests_total": "1"})
    fake.query("http_request_total + absent_metric")
    found = entry(fake)
    assert found["empty"] is True
    assert found["unknown_metrics"] == ["absent_metric", "http_request_total"]
    assert any("did you mean http_requests_total?" in text for text in found["why"])


def test_refused_query_is_noted_with_its_error(fake: Fake) -> None:
    fake.query("sum(")
    found = entry(fake)
    assert (found["status"], found["error_type"], found["query"], found["parsed"]) == (
        400,
        "bad_data",
        "sum(",
        None,
    )
    assert "parse error" in found["error"]


def test_form_and_range_are_understood(fake: Fake) -> None:
    form = f"query=x&start={START - 60}&end={START}&step=15"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert fake.ask("POST", "/api/v1/query_range", form, kind).status == 200
    found = entry(fake)
    assert (found["kind"], found["result_type"], found["params"]["step"]) == ("range", "matrix", "15")


def test_several_values_of_a_parameter_are_a_list(fake: Fake) -> None:
    fake.ask("GET", "/api/v1/series?match[]=a&match[]=b&limit=1")
    assert entry(fake)["params"] == {"match[]": ["a", "b"], "limit": "1"}


def test_unknown_path_is_noted_and_control_requests_are_not(fake: Fake) -> None:
    fake.ask("GET", "/nowhere")
    fake.control("GET", "clock")
    assert (entry(fake)["path"], entry(fake)["status"]) == ("/nowhere", 404)


def test_fault_is_noted_with_its_number(fake: Fake) -> None:
    fault = fake.control("POST", "faults", {"kind": "error", "status": 503})
    fake.query("x")
    assert (entry(fake)["fault"], entry(fake)["status"]) == (fault["id"], 503)


def test_client_that_gave_up_is_noted(fake: Fake) -> None:
    fake.control("POST", "faults", {"kind": "hang"})
    with pytest.raises(TimeoutError):
        fake.ask("GET", "/api/v1/query?query=x", timeout=0.1)
    while not entries(fake):
        pass
    assert entry(fake)["status"] == 499


def test_long_answer_is_shown_to_its_first_4_kib(fake: Fake) -> None:
    fake.load({'x{i="{i}"}': "1"}, count=200)
    fake.query("x", **{"Accept-Encoding": "gzip"})
    assert len(entry(fake)["response"]) == 4096
    assert entry(fake)["response"].startswith('{"status":"success"')


def test_journal_is_read_from_an_entry_on_and_emptied(fake: Fake) -> None:
    for query in ("a", "b", "c"):
        fake.query(query)
    first = entries(fake)[0]["id"]
    later = fake.control("GET", f"journal?since={first}")
    assert [each["query"] for each in later] == ["b", "c"]
    fake.control("DELETE", "journal")
    assert entries(fake) == []
    fake.query("d")
    assert entry(fake)["id"] > later[-1]["id"]


def test_what_an_old_entry_says_is_as_of_its_time(fake: Fake) -> None:
    fake.query("x")
    fake.load({"x": "1"})
    for _ in range(60):
        fake.query("1")
    first = entries(fake)[0]
    assert (first["unknown_metrics"], first["empty"]) == (["x"], True)


def asked(fake: Fake, query: str, **more: object) -> Any:
    return fake.control("POST", "assert", {"query": query, **more})


@pytest.mark.parametrize(
    "spelling",
    [
        "sum by (b, a) (rate(x{d='2',c=~\"1|2\"}[300s])) > 1000",
        'sum(rate({__name__="x",c=~"1|2",d="2"}[5m]))by(a,b)>1e3',
        '(sum by(a,b)((rate(x{c=~"1|2",d="2"}[5m])))) > (1000.0)',
    ],
)
def test_query_counts_as_asked_however_it_is_spelled(fake: Fake, spelling: str) -> None:
    fake.query('sum by (a,b) (rate(x{c=~"1|2",d="2"}[5m])) > 1000')
    assert asked(fake, spelling)["found"] == 1
    assert asked(fake, spelling)["ok"] is True


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ("sum(rate(x[1m]))", "expected x[1m], got x[5m]"),
        ("sum(rate(y[5m]))", "expected y, got x"),
        ('sum(rate(x{a="b"}[5m]))', 'expected x{a="b"}, got x'),
        ("avg(rate(x[5m]))", "expected avg(rate(x[5m])), got sum(rate(x[5m]))"),
        ("sum(irate(x[5m]))", "expected irate(x[5m]), got rate(x[5m])"),
    ],
)
def test_query_that_differs_was_not_asked_and_the_difference_is_told(
    fake: Fake, other: str, difference: str
) -> None:
    fake.query("sum(rate(x[5m]))")
    answer = asked(fake, other)
    assert (answer["found"], answer["ok"]) == (0, False)
    assert answer["nearest"][0] == {"query": "sum(rate(x[5m]))", "difference": difference}


def test_kind_and_number_of_times_can_be_asserted(fake: Fake) -> None:
    fake.query("x")
    fake.query("x")
    assert asked(fake, "x", kind="instant", times=2)["ok"] is True
    assert asked(fake, "x", times=1)["ok"] is False
    assert asked(fake, "x", kind="range")["found"] == 0
    assert asked(fake, "y", times=0)["ok"] is True


def test_requests_of_one_user_agent_can_be_left_out(fake: Fake) -> None:
    fake.query("x", **{"User-Agent": "own"})
    fake.query("x", **{"User-Agent": "other"})
    assert asked(fake, "x", except_user_agent="own")["found"] == 1


def test_faulty_assertion_is_refused(fake: Fake) -> None:
    assert "parse error" in fake.refused("assert", {"query": "sum("})
    assert "expected one of instant, range" in fake.refused("assert", {"query": "x", "kind": "both"})
