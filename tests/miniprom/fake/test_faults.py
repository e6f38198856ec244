import contextlib
import gzip
import json
import socket
import threading
import time
from typing import Any

import pytest

from tests.miniprom.fake.serving import START, Fake

QUERY = b"GET /api/v1/query?query=x HTTP/1.1\r\nHost: fake\r\n\r\n"


@pytest.fixture
def filled(fake: Fake) -> Fake:
    fake.load({'x{a="b"}': "1 2 3"})
    return fake


def raw(fake: Fake, timeout: float = 5) -> bytes:
    """Everything that comes back on one connection until it is closed. Raises what the socket raises."""
    with socket.create_connection(fake.address, timeout=timeout) as connection:
        connection.sendall(QUERY.replace(b"Host: fake", b"Host: fake\r\nConnection: close"))
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def broken(fake: Fake, **fault: object) -> Any:
    return fake.control("POST", "faults", fault)


def test_error_is_answered_as_the_api_would(filled: Fake) -> None:
    broken(filled, kind="error", status=422, error_type="execution", error="too bad")
    answer = filled.query("x")
    assert answer.status == 422
    assert answer.json == {"status": "error", "errorType": "execution", "error": "too bad"}


def test_latency_holds_the_answer_back(filled: Fake) -> None:
    broken(filled, kind="latency", seconds=0.1)
    begin = time.monotonic()
    assert filled.query("x").status == 200
    assert time.monotonic() - begin >= 0.1


def test_latency_may_be_drawn_from_a_distribution(filled: Fake) -> None:
    broken(filled, kind="latency", seconds={"distribution": "uniform", "low": 0.05, "high": 0.06, "seed": 3})
    begin = time.monotonic()
    assert filled.query("x").status == 200
    assert time.monotonic() - begin >= 0.05


def test_hanging_request_is_never_answered(filled: Fake) -> None:
    broken(filled, kind="hang")
    with pytest.raises(TimeoutError):
        raw(filled, timeout=0.2)
    filled.control("DELETE", "faults")
    assert filled.query("x").status == 200


def test_truncated_answer_promises_more_than_it_gives(filled: Fake) -> None:
    whole = len(filled.query("x").body)
    broken(filled, kind="truncate", bytes=10)
    head, _, body = raw(filled).partition(b"\r\n\r\n")
    assert f"Content-Length: {whole}".encode() in head
    assert body == b'{"status":'


def test_malformed_answer_is_whole_but_no_json(filled: Fake) -> None:
    broken(filled, kind="malformed")
    answer = filled.query("x")
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)


def test_reset_connection_has_no_answer_that_could_be_truncated(
    filled: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    for kind in ("reset", "truncate"):
        broken(filled, kind=kind)
    with pytest.raises(ConnectionResetError):
        raw(filled)
    assert filled.at(filled.control_url).control("GET", "journal")
    assert not caplog.records


def test_reset_connection_ends_with_an_error_of_the_socket(filled: Fake) -> None:
    broken(filled, kind="reset")
    with pytest.raises(ConnectionResetError):
        raw(filled)


def test_empty_answer_has_no_series(filled: Fake) -> None:
    broken(filled, kind="empty")
    assert filled.query("x").json["data"] == {"resultType": "vector", "result": []}
    assert filled.ask("GET", "/api/v1/labels").json["data"] == []


def test_nan_stands_in_place_of_every_value(filled: Fake) -> None:
    broken(filled, kind="nan")
    assert filled.values("x") == {"a=b": "NaN"}
    assert [value for _, value in filled.points("x[1m]")] == ["NaN", "NaN", "NaN"]
    assert filled.query("scalar(x)").json["data"]["result"][1] == "NaN"


def test_extra_series_comes_last_with_its_value(filled: Fake) -> None:
    broken(filled, kind="extra_series", labels={"c": "d"}, value="+Inf")
    assert filled.query("x").json["data"]["result"][1:] == [{"metric": {"c": "d"}, "value": [START, "+Inf"]}]
    path = f"/api/v1/query_range?query=x&start={START - 15}&end={START}&step=15"
    extra = filled.ask("GET", path).json["data"]["result"][1]
    assert extra == {"metric": {"c": "d"}, "values": [[START - 15, "+Inf"], [START, "+Inf"]]}


def test_warnings_and_infos_are_added(filled: Fake) -> None:
    broken(filled, kind="warnings", warnings=["careful"], infos=["by the way"])
    answer = filled.query("x").json
    assert (answer["warnings"], answer["infos"]) == (["careful"], ["by the way"])
    assert len(answer["data"]["result"]) == 1


def test_compressed_answer_is_changed_too(filled: Fake) -> None:
    filled.load({'y{i="{i}"}': "1"}, count=100)
    plain = filled.query("y", **{"Accept-Encoding": "gzip"})
    assert len(json.loads(gzip.decompress(plain.body))["data"]["result"]) == 100
    broken(filled, kind="nan")
    changed = filled.query("y", **{"Accept-Encoding": "gzip"}).json["data"]["result"]
    assert {each["value"][1] for each in changed} == {"NaN"}


def test_large_answer_is_changed_too(filled: Fake) -> None:
    filled.load({'y{i="{i}"}': "1x100"}, count=600)
    assert len(filled.query("y[1h]").body) > 1 << 20
    broken(filled, kind="empty")
    assert filled.query("y[1h]").json["data"]["result"] == []


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({"path": "/api/v1/query"}, True),
        ({"path": "/api/v1/*"}, True),
        ({"path": "/api/v1/labels"}, False),
        ({"query": "sum(rate(x{b='2', a='1'}[60s]))"}, True),
        ({"query": "sum(rate(x[1m]))"}, False),
        ({"query_matches": r"x\{.*1m"}, True),
        ({"query_matches": "^x"}, False),
        ({"probability": 0}, False),
        ({"probability": 1}, True),
        ({"after": 1}, False),
    ],
    ids=str,
)
def test_fault_comes_to_pass_only_where_its_conditions_hold(
    fake: Fake, condition: dict[str, object], met: bool
) -> None:
    broken(fake, kind="error", status=500, **condition)
    assert fake.query('sum(rate(x{a="1",b="2"}[1m]))').status == (500 if met else 200)


def test_counted_fault_lets_some_through_first_and_ends(fake: Fake) -> None:
    broken(fake, kind="error", after=1, times=2)
    assert [fake.query("x").status for _ in range(5)] == [200, 503, 503, 200, 200]
    assert fake.control("GET", "faults")[0]["met"] == 2


def test_probability_is_the_same_again_for_the_same_seed(fake: Fake) -> None:
    seen = []
    for _ in range(2):
        broken(fake, kind="error", probability=0.5, seed=7)
        seen.append([fake.query("x").status for _ in range(20)])
        fake.control("DELETE", "faults")
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 503}


def test_control_requests_meet_no_fault(fake: Fake) -> None:
    broken(fake, kind="error")
    assert fake.control("GET", "")["faults"] == 1


def test_one_fault_is_removed_by_its_number_also_after_a_reset(fake: Fake) -> None:
    first, second = broken(fake, kind="error"), broken(fake, kind="hang")
    assert fake.control("DELETE", f"faults/{second['id']}") == fake.control("GET", "faults")
    assert [fault["id"] for fault in fake.control("GET", "faults")] == [first["id"]]
    fake.control("POST", "reset", {})
    later = broken(fake, kind="error")
    assert later["id"] > second["id"]
    assert len(fake.control("DELETE", f"faults/{first['id']}")) == 1
    assert fake.ask("DELETE", "/-/fake/faults/9999").status == 400


def test_refused_port_is_closed_and_opened_again(fake: Fake) -> None:
    broken(fake, kind="refuse")
    with pytest.raises(ConnectionRefusedError):
        raw(fake)
    fake.at(fake.control_url).control("DELETE", "faults")
    assert fake.query("1").status == 200


def test_refusing_port_belongs_to_nobody_else_meanwhile(fake: Fake) -> None:
    broken(fake, kind="refuse")
    with contextlib.closing(socket.socket()) as other, pytest.raises(OSError, match="in use"):
        other.bind(fake.address)
    fake.at(fake.control_url).control("DELETE", "faults")


def test_refusal_may_be_limited_in_time(fake: Fake) -> None:
    broken(fake, kind="refuse", seconds=0.1)
    with pytest.raises(ConnectionRefusedError):
        raw(fake)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            assert fake.query("1").status == 200
            break
        time.sleep(0.02)
    assert fake.control("GET", "faults") == []


def test_refusal_ends_the_connections_that_are_open(fake: Fake) -> None:
    with socket.create_connection(fake.address, timeout=5) as connection:
        connection.sendall(QUERY)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        broken(fake, kind="refuse")
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(65536) == b""
    fake.at(fake.control_url).control("POST", "reset", {})
    assert fake.query("1").status == 200


def test_request_that_waits_is_broken_off_by_a_refusal(filled: Fake) -> None:
    broken(filled, kind="hang")
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            raw(filled)
        except OSError as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while filled.control("GET", "faults")[0]["met"] == 0:
        time.sleep(0.01)
    broken(filled, kind="refuse")
    thread.join(5)
    assert not thread.is_alive()
    filled.at(filled.control_url).control("POST", "reset", {})


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({}, "fault.kind"),
        ({"kind": "eror"}, "did you mean 'error'?"),
        ({"kind": "error", "status": 200}, "at least 400"),
        ({"kind": "error", "job": "j"}, "unknown field 'job'"),
        ({"kind": "target_down", "path": "/x"}, "unknown field 'path'"),
        ({"kind": "latency"}, "fault latency.seconds: expected a duration"),
        ({"kind": "latency", "seconds": {"distribution": "even"}}, "expected one of exponential"),
        ({"kind": "latency", "seconds": {"distribution": "uniform", "low": 1}}, "high: expected a number"),
        ({"kind": "error", "probability": 2}, "a number from 0 to 1"),
        ({"kind": "error", "times": 0}, "at least 1"),
        ({"kind": "error", "query": "sum("}, "parse error"),
        ({"kind": "error", "query_matches": "("}, "fault error.query_matches: "),
        ({"kind": "warnings"}, 'expected texts in "warnings" or "infos"'),
        ([], "expected an object such as"),
    ],
    ids=str,
)
def test_faulty_fault_is_refused(fake: Fake, fault: object, message: str) -> None:
    assert message in fake.refused("faults", fault)
    assert fake.control("GET", "faults") == []
