"""Native histograms over remote write, against protobuf's own encoding."""

import struct
from typing import Any

import pytest

from collector.protobuf.wire import WireError
from miniprom.remote_write.request import decode
from tests.miniprom.api.harness import NOW, NOW_MS, serving
from tests.miniprom.remote_write.messages import encode_histogram, packed
from tsdb.histogram import Buckets, CounterReset, FloatHistogram

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
LABELS = {"__name__": "latency"}
INTEGERS: dict[str, Any] = {
    "timestamp": NOW_MS,
    "count_int": 12,
    "sum": 18.5,
    "zero_threshold": 0.001,
    "zero_count_int": 2,
    "positive_spans": [(1, 2), (1, 1)],
    "positive_deltas": [1, 1, -1],
    "negative_spans": [(-1, 1)],
    "negative_deltas": [6],
    "reset_hint": 3,
}
# Two spans: indexes 1, 2, then one bucket is skipped: 4. Deltas 1, +1, -1 are the counts 1, 2, 1.
INTEGERS_DECODED = FloatHistogram(
    count=12.0,
    sum=18.5,
    zero_threshold=0.001,
    zero_count=2.0,
    positive=Buckets(Buckets.dense(1, [0, 0, 0, 0]).indexes[[0, 1, 3]], Buckets.dense(0, [1, 2, 1]).counts),
    negative=Buckets.dense(-1, [6.0]),
)


def decoded(**fields: Any) -> FloatHistogram:
    ((_, time_ms, histogram),) = decode(encode_histogram(LABELS, **fields)).histograms
    assert time_ms == NOW_MS
    assert histogram is not None
    return histogram


def test_integer_histogram_is_decoded_from_deltas() -> None:
    histogram = decoded(**INTEGERS)
    assert histogram == INTEGERS_DECODED
    assert histogram.counter_reset_hint is CounterReset.GAUGE


def test_float_histogram_is_decoded_from_counts() -> None:
    histogram = decoded(
        timestamp=NOW_MS,
        schema=-2,
        count_float=1.5,
        zero_count_float=0.5,
        positive_spans=[(0, 1)],
        positive_counts=[1.0],
    )
    assert histogram == FloatHistogram(schema=-2, count=1.5, zero_count=0.5, positive=Buckets.dense(0, [1.0]))


def test_custom_bounds_are_decoded() -> None:
    histogram = decoded(
        timestamp=NOW_MS,
        schema=-53,
        count_int=3,
        positive_spans=[(0, 2)],
        positive_deltas=[1, 1],
        custom_values=[0.5, 1.0],
    )
    assert histogram.custom_values == (0.5, 1.0)
    assert histogram.positive == Buckets.dense(0, [1.0, 2.0])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"positive_spans": [(0, 4)]}, "spans need 4 buckets, have 3 buckets"),
        ({"positive_spans": [(0, 1 << 31)]}, "spans need 2147483648 buckets"),
        ({"schema": 9}, "unknown schema 9"),
        ({"positive_spans": [(2**31 - 1, 1), (2**31 - 1, 2)]}, "out of range"),
    ],
)
def test_histogram_that_is_inconsistent_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(WireError, match=message):
        decode(encode_histogram(LABELS, **{**INTEGERS, **changed}))


def test_stale_histogram_marks_its_series_stale() -> None:
    (stale,) = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))
    batch = decode(encode_histogram(LABELS, timestamp=NOW_MS, sum=stale))
    assert [(time_ms, histogram) for _, time_ms, histogram in batch.histograms] == [(NOW_MS, None)]
    assert batch.series == []


def test_histogram_that_was_written_can_be_queried() -> None:
    body = packed(encode_histogram(LABELS, **INTEGERS))
    with serving(**{"web.enable-remote-write-receiver": "true"}) as api:
        assert api.request("POST", "/api/v1/write", data=body, headers=HEADERS).status == 204
        late = packed(encode_histogram(LABELS, **{**INTEGERS, "timestamp": NOW_MS - 1}))
        refused = api.request("POST", "/api/v1/write", data=late, headers=HEADERS)
        (found,) = api.query("latency")["result"]
        (count,) = api.query("histogram_count(latency)")["result"]
    assert (refused.status, refused.text) == (400, "out of order sample\n")
    assert found["histogram"][1]["count"] == "12"
    assert found["histogram"][1]["buckets"][0] == [1, "-0.5", "-0.25", "6"]
    assert count["value"] == [NOW, "12"]
