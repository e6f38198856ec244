"""/api/v1/write."""

from collections.abc import Iterator, Mapping

import pytest

from tests.miniprom.api.harness import NOW, NOW_MS, Answer, Api, serving
from tests.miniprom.remote_write.messages import Series, encode, packed

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}


@pytest.fixture
def receiver() -> Iterator[Api]:
    with serving(**{"web.enable-remote-write-receiver": "true"}) as api:
        yield api


def send(api: Api, *series: Series, headers: Mapping[str, str] = HEADERS, metadata: bool = False) -> Answer:
    body = packed(encode(series, metadata=metadata))
    return api.request("POST", "/api/v1/write", data=body, headers=headers)


def up(job: str, *points: tuple[int, float]) -> Series:
    return {"__name__": "up", "job": job}, points


def test_receiver_is_off_by_default(api: Api) -> None:
    answer = send(api, up("a", (NOW_MS, 1.0)))
    assert answer.status == 404
    assert "--web.enable-remote-write-receiver" in answer.text


def test_samples_are_stored_and_answered_without_content(receiver: Api) -> None:
    assert send(receiver, up("a", (NOW_MS, 1.0)), up("b", (NOW_MS, 2.0)), metadata=True).status == 204
    result = receiver.query("up")["result"]
    assert [(one["metric"]["job"], one["value"]) for one in result] == [("a", [NOW, "1"]), ("b", [NOW, "2"])]


def test_several_samples_of_a_series_are_stored_in_order(receiver: Api) -> None:
    points = [(NOW_MS - 2000, 1.0), (NOW_MS - 1000, 2.0), (NOW_MS, 3.0)]
    assert send(receiver, up("a", *points), up("b", *points[:2])).status == 204
    result = receiver.query("up[1m]")["result"]
    assert [len(one["values"]) for one in result] == [3, 2]


def test_request_that_is_repeated_is_accepted(receiver: Api) -> None:
    assert send(receiver, up("a", (NOW_MS, 1.0))).status == 204
    assert send(receiver, up("a", (NOW_MS, 1.0))).status == 204


@pytest.mark.parametrize(
    ("timestamp_ms", "message"),
    [
        (NOW_MS - 1, "out of order sample"),
        (NOW_MS, "duplicate sample for timestamp"),
        (NOW_MS + 600_001, "out of bounds: timestamp is too far in the future"),
    ],
)
def test_refused_sample_is_named_and_the_others_are_stored(
    receiver: Api, timestamp_ms: int, message: str
) -> None:
    send(receiver, up("a", (NOW_MS, 1.0)))
    answer = send(receiver, up("a", (timestamp_ms, 2.0)), up("b", (NOW_MS, 3.0)))
    assert (answer.status, answer.text) == (400, f"{message}\n")
    assert [one["value"][1] for one in receiver.query("up")["result"]] == ["1", "3"]


def test_sample_older_than_the_retention_is_out_of_bounds(receiver: Api) -> None:
    receiver.store.expire(NOW_MS)
    answer = send(receiver, up("a", (NOW_MS - 7_200_001, 2.0)))
    assert (answer.status, answer.text) == (400, "out of bounds\n")


def test_series_without_a_name_is_left_out_and_counted(receiver: Api) -> None:
    assert send(receiver, ({"job": "a"}, [(NOW_MS, 1.0)]), up("b", (NOW_MS, 1.0))).status == 204
    assert len(receiver.query('{job=~".+"}')["result"]) == 1
    metrics = receiver.get("/metrics").text
    assert "prometheus_api_remote_write_invalid_labels_samples_total 1.0" in metrics


@pytest.mark.parametrize("body", [b"", b"nonsense", packed(b"\x0a\x05abc")])
def test_broken_body_is_refused(receiver: Api, body: bytes) -> None:
    assert receiver.request("POST", "/api/v1/write", data=body, headers=HEADERS).status == 400


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Content-Type", "application/json"),
        ("Content-Type", "application/x-protobuf;proto=io.prometheus.write.v3.Request"),
        ("Content-Encoding", "lz4"),
    ],
)
def test_other_formats_are_unsupported(receiver: Api, header: str, value: str) -> None:
    assert send(receiver, up("a", (NOW_MS, 1.0)), headers={**HEADERS, header: value}).status == 415


def test_large_request_is_stored_as_well(receiver: Api) -> None:
    series = [({"__name__": "big", "n": f"{n:x}" * 20}, [(NOW_MS, float(n))]) for n in range(20_000)]
    assert len(packed(encode(series))) > 1 << 17
    assert send(receiver, *series).status == 204
    assert receiver.query("sum(big)")["result"][0]["value"] == [NOW, "199990000"]
