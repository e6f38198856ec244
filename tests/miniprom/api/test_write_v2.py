"""/api/v1/write with remote write 2.0."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.miniprom.api.harness import NOW, NOW_MS, Answer, Api, serving
from tests.miniprom.remote_write.messages import RequestV2, encode, packed
from tests.tsdb.logging_to import FaultyDisk
from tsdb.sample import STALE_BITS

HEADERS = {
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
}
STALE = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]


@pytest.fixture
def receiver() -> Iterator[Api]:
    with serving(**{"web.enable-remote-write-receiver": "true"}) as api:
        yield api


def send(api: Api, request: RequestV2) -> Answer:
    return api.request("POST", "/api/v1/write", data=request.packed(), headers=HEADERS)


def written(answer: Answer) -> tuple[str, str, str]:
    prefix = "X-Prometheus-Remote-Write-"
    samples, histograms, exemplars = (
        answer.headers[f"{prefix}{kind}-Written"] for kind in ("Samples", "Histograms", "Exemplars")
    )
    return samples, histograms, exemplars


def up(instance: str) -> dict[str, str]:
    return {"__name__": "up", "instance": instance}


def native(request: RequestV2, labels: dict[str, str], timestamp_ms: int, sum_: float = 9.0) -> None:
    histogram = request.series(labels).histograms.add(
        count_int=6, sum=sum_, zero_count_int=1, timestamp=timestamp_ms, positive_deltas=[2, 1]
    )
    histogram.positive_spans.add(offset=1, length=2)


def test_samples_are_stored_and_counted_in_the_headers(receiver: Api) -> None:
    request = RequestV2()
    request.sample(up("a"), NOW_MS, 1.0)
    request.sample(up("b"), NOW_MS, 2.0).metadata.type = 1
    answer = send(receiver, request)
    assert (answer.status, written(answer)) == (204, ("2", "0", "0"))
    result = receiver.query("up")["result"]
    assert [(one["metric"], one["value"]) for one in result] == [
        (up("a"), [NOW, "1"]),
        (up("b"), [NOW, "2"]),
    ]


def test_both_versions_mean_the_same_series(receiver: Api) -> None:
    request = RequestV2()
    request.sample(up("a"), NOW_MS - 1000, 1.0)
    send(receiver, request)
    headers = {"Content-Type": "application/x-protobuf"}
    body = packed(encode([(up("a"), [(NOW_MS, 2.0)])]))
    assert receiver.request("POST", "/api/v1/write", data=body, headers=headers).status == 204
    assert receiver.store.stats().series == 1


def test_integer_histogram_is_stored_with_absolute_counts(receiver: Api) -> None:
    request = RequestV2()
    native(request, {"__name__": "h"}, NOW_MS)
    answer = send(receiver, request)
    assert (answer.status, written(answer)) == (204, ("0", "1", "0"))
    assert receiver.query("histogram_count(h)")["result"][0]["value"][1] == "6"
    (series,) = receiver.query("h")["result"]
    assert [bucket[1:] for bucket in series["histogram"][1]["buckets"]] == [
        ["-0", "0", "1"],
        ["1", "2", "2"],
        ["2", "4", "3"],
    ]


def test_stale_marker_of_a_histogram_counts_as_a_histogram(receiver: Api) -> None:
    request = RequestV2()
    native(request, {"__name__": "h"}, NOW_MS - 1000)
    native(request, {"__name__": "h"}, NOW_MS, sum_=STALE)
    answer = send(receiver, request)
    assert (answer.status, written(answer)) == (204, ("0", "2", "0"))
    assert receiver.query("h")["result"] == []


def test_exemplars_are_not_written(receiver: Api) -> None:
    request = RequestV2()
    request.sample(up("a"), NOW_MS, 1.0).exemplars.add(value=1.0, timestamp=NOW_MS)
    assert written(send(receiver, request)) == ("1", "0", "0")


def test_refused_samples_are_told_and_the_others_are_stored_and_counted(receiver: Api) -> None:
    request = RequestV2()
    request.sample(up("a"), NOW_MS, 1.0)
    send(receiver, request)
    request = RequestV2()
    request.sample(up("a"), NOW_MS - 1, 2.0)
    request.sample(up("b"), NOW_MS, 3.0)
    request.sample({"instance": "c"}, NOW_MS, 4.0)
    request.sample(up("d"), NOW_MS + 600_001, 5.0)
    answer = send(receiver, request)
    assert (answer.status, written(answer)) == (400, ("1", "0", "0"))
    assert answer.text.splitlines() == [
        "invalid metric name or labels: 1 samples",
        "out of bounds: timestamp is too far in the future: 1 samples",
        "out of order sample: 1 samples",
    ]
    assert [one["value"][1] for one in receiver.query("up")["result"]] == ["1", "3"]


def test_reference_outside_of_the_symbols_spares_the_other_series(receiver: Api) -> None:
    request = RequestV2()
    request.sample(up("a"), NOW_MS, 1.0).labels_refs[:] = [1, 99]
    request.sample(up("b"), NOW_MS, 2.0)
    answer = send(receiver, request)
    assert (answer.status, written(answer)) == (400, ("1", "0", "0"))
    assert "labelRefs 1 (name) = 99 (value) outside of symbols table (size 6)" in answer.text


def test_odd_number_of_references_is_refused(receiver: Api) -> None:
    request = RequestV2()
    request.sample(up("a"), NOW_MS, 1.0).labels_refs[:] = [1]
    assert "invalid labelRefs length 1" in send(receiver, request).text


def test_series_without_samples_is_refused(receiver: Api) -> None:
    request = RequestV2()
    request.series(up("a"))
    answer = send(receiver, request)
    assert answer.status == 400
    assert answer.text.startswith("TimeSeries must contain at least one sample or histogram")


def test_histogram_whose_spans_do_not_fit_spares_the_others(receiver: Api) -> None:
    request = RequestV2()
    request.series({"__name__": "h"}).histograms.add(count_int=1, timestamp=NOW_MS, positive_deltas=[1])
    request.sample(up("a"), NOW_MS, 1.0)
    answer = send(receiver, request)
    assert (answer.status, written(answer)) == (400, ("1", "0", "0"))
    assert "spans need 0 buckets, have 1 buckets" in answer.text


def test_body_that_is_no_request_is_refused_with_headers_of_zero(receiver: Api) -> None:
    answer = receiver.request("POST", "/api/v1/write", data=b"nonsense", headers=HEADERS)
    assert (answer.status, written(answer)) == (400, ("0", "0", "0"))


def test_sample_that_is_not_on_disk_is_not_acknowledged(receiver: Api, tmp_path: Path) -> None:
    services = receiver.server.services
    disk = FaultyDisk()
    services.store.open(disk, tmp_path, NOW_MS)
    disk.room = 10
    request = RequestV2()
    request.sample(up("a"), NOW_MS, 1.0)
    answer = send(receiver, request)
    assert (answer.status, written(answer)) == (500, ("0", "0", "0"))
    assert "No space left on device" in answer.text
