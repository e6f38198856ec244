"""The protobuf format. Expected: what upstream's parser makes of a message, by its documentation."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import CollectorError
from collector.exposition import Metadata, MetricType, Update
from collector.exposition.protobuf_memory import ProtobufMemory
from collector.protobuf.wire import WireError
from tests.collector.exposition.metric_families import (
    COUNTER,
    GAUGE,
    GAUGE_HISTOGRAM,
    HISTOGRAM,
    SUMMARY,
    UNTYPED,
    body,
    family,
)
from tsdb import METRIC_NAME, Labels
from tsdb.histogram import Buckets, CounterReset, FloatHistogram

CLASSIC = [{"cumulative_count": 1, "upper_bound": 0.5}, {"cumulative_count": 3, "upper_bound": 1.0}]
NATIVE = {
    "sample_count": 12,
    "sample_sum": 18.4,
    "schema": 1,
    "zero_threshold": 0.001,
    "zero_count": 2,
    "positive_span": [{"offset": 0, "length": 2}, {"offset": 1, "length": 2}],
    "positive_delta": [1, 2, -2, 0],
    "negative_span": [{"offset": -1, "length": 2}],
    "negative_delta": [2, 1],
}
# Counts are 1, 3, 1, 1 at 0, 1, 3, 4, and 2, 3 at -1, 0.
HISTOGRAM_VALUE = FloatHistogram(
    schema=1,
    count=12,
    sum=18.4,
    zero_threshold=0.001,
    zero_count=2,
    positive=Buckets.dense(0, [1.0, 3.0, 0.0, 1.0, 1.0]).compact(),
    negative=Buckets.dense(-1, [2.0, 3.0]),
)


def memory(*, native: bool = True, with_classic: bool = False) -> ProtobufMemory:
    return ProtobufMemory(native=native, with_classic=with_classic)


def samples(update: Update) -> dict[str, float]:
    """The first body's floats, by series."""
    return {
        shown(update.added[slot]): value
        for slot, value in zip(update.slots.tolist(), update.values.tolist(), strict=True)
    }


def shown(labels: Labels) -> str:
    name = dict(labels)[METRIC_NAME]
    return name + "".join(f",{key}={value}" for key, value in labels if key != METRIC_NAME)


@pytest.mark.parametrize(("kind", "field"), [(COUNTER, "counter"), (GAUGE, "gauge"), (UNTYPED, "untyped")])
def test_value_is_that_of_the_type(kind: int, field: str) -> None:
    metrics: list[dict[str, Any]] = [{"labels": {"b": "2", "a": "ü"}, field: {"value": 1.5}}, {field: {}}]
    update = memory().update(body(family("m", kind, *metrics)))
    assert samples(update) == {"m,a=ü,b=2": 1.5, "m": 0.0}


def test_summary_has_quantiles_a_sum_and_a_count() -> None:
    quantiles = [{"quantile": 0.5, "value": 1.0}, {"quantile": 1.0, "value": 3.0}]
    summary = {"sample_count": 7, "sample_sum": 9.5, "quantile": quantiles}
    update = memory().update(body(family("s", SUMMARY, {"labels": {"a": "b"}, "summary": summary})))
    assert samples(update) == {
        "s_count,a=b": 7.0,
        "s_sum,a=b": 9.5,
        "s,a=b,quantile=0.5": 1.0,
        "s,a=b,quantile=1.0": 3.0,
    }


@pytest.mark.parametrize("has_infinite_bucket", [False, True])
def test_classic_histogram_always_has_an_infinite_bucket(has_infinite_bucket: bool) -> None:
    infinite = [{"cumulative_count": 4, "upper_bound": float("inf")}] if has_infinite_bucket else []
    histogram = {"sample_count": 4, "sample_sum": 2.5, "bucket": CLASSIC + infinite}
    update = memory().update(body(family("h", HISTOGRAM, {"histogram": histogram})))
    assert samples(update) == {
        "h_count": 4.0,
        "h_sum": 2.5,
        "h_bucket,le=0.5": 1.0,
        "h_bucket,le=1.0": 3.0,
        "h_bucket,le=+Inf": 4.0,
    }


def test_counts_may_be_floats() -> None:
    bucket = [{"cumulative_count_float": 1.5, "upper_bound": 1.0}]
    histogram = {"sample_count_float": 2.5, "bucket": bucket}
    update = memory().update(body(family("h", HISTOGRAM, {"histogram": histogram})))
    assert samples(update)["h_bucket,le=1.0"] == 1.5
    assert samples(update)["h_count"] == 2.5


def test_native_histogram_replaces_its_classic_part() -> None:
    update = memory().update(body(family("h", HISTOGRAM, {"histogram": {**NATIVE, "bucket": CLASSIC}})))
    [sample] = update.histograms
    assert (sample.histogram, shown(update.added[sample.slot])) == (HISTOGRAM_VALUE, "h")
    assert samples(update) == {}


def test_classic_part_is_kept_on_request() -> None:
    families = body(family("h", HISTOGRAM, {"histogram": {**NATIVE, "bucket": CLASSIC}}))
    update = memory(with_classic=True).update(families)
    assert len(update.histograms) == 1
    assert samples(update)["h_bucket,le=+Inf"] == 12.0


def test_native_part_is_not_looked_at_where_it_is_not_wanted() -> None:
    update = memory(native=False).update(body(family("h", HISTOGRAM, {"histogram": NATIVE})))
    assert update.histograms == ()
    assert samples(update) == {"h_count": 12.0, "h_sum": 18.4, "h_bucket,le=+Inf": 12.0}


def test_span_without_buckets_marks_an_empty_native_histogram() -> None:
    histogram = {"positive_span": [{"offset": 0, "length": 0}]}
    [sample] = memory().update(body(family("h", HISTOGRAM, {"histogram": histogram}))).histograms
    assert sample.histogram == FloatHistogram()


def test_gauge_histogram_is_a_gauge() -> None:
    [sample] = memory().update(body(family("h", GAUGE_HISTOGRAM, {"histogram": NATIVE}))).histograms
    assert sample.histogram.counter_reset_hint is CounterReset.GAUGE


def test_float_histogram_has_counts_instead_of_deltas() -> None:
    histogram = {
        "sample_count_float": 1.5,
        "zero_threshold": 0.1,
        "zero_count_float": 0.5,
        "positive_span": [{"offset": 0, "length": 1}],
        "positive_count": [1.0],
    }
    [sample] = memory().update(body(family("h", HISTOGRAM, {"histogram": histogram}))).histograms
    assert sample.histogram == FloatHistogram(
        count=1.5, zero_threshold=0.1, zero_count=0.5, positive=Buckets.dense(0, [1.0])
    )


def test_metadata_of_a_family_without_metrics_is_left_out() -> None:
    gauge = family("m_seconds", GAUGE, {"gauge": {}}, help="A gauge.", unit="seconds")
    update = memory().update(body(gauge, family("none", COUNTER)))
    assert update.metadata == {"m_seconds": Metadata(MetricType.GAUGE, "A gauge.", "seconds")}


def test_times_are_told_where_a_metric_has_one() -> None:
    metrics: list[dict[str, Any]] = [{"labels": {"a": "1"}, "gauge": {}, "timestamp_ms": 1234}, {"gauge": {}}]
    update = memory().update(body(family("m", GAUGE, *metrics)))
    assert update.timestamps_ms is not None
    assert update.timestamps_ms[0] == 1234
    assert memory().update(body(family("m", GAUGE, {"gauge": {}}))).timestamps_ms is None


def gauges(**values: float) -> bytes:
    return body(*(family(name, GAUGE, {"gauge": {"value": value}}) for name, value in values.items()))


def test_series_keep_their_slots_and_those_gone_are_told() -> None:
    known = memory()
    first = known.update(gauges(a=1, b=2))
    second = known.update(gauges(a=3, b=2))
    assert second.slots is first.slots
    assert (second.added, second.values.tolist(), second.metadata) == ({}, [3.0, 2.0], None)
    third = known.update(gauges(b=2, c=1))
    assert third.vanished.tolist() == [first.slots[0]]
    assert list(map(shown, third.added.values())) == ["c"]


def test_body_that_cannot_be_read_changes_nothing() -> None:
    known = memory()
    first = known.update(gauges(a=1))
    with pytest.raises(WireError):
        known.update(gauges(b=1)[:-1])
    assert known.update(gauges(a=1)).slots is first.slots


def test_second_sample_of_a_series_is_a_repeat() -> None:
    update = memory().update(gauges(a=1) + gauges(a=2))
    assert update.values.tolist() == [1.0]
    assert [repeat.value for repeat in update.repeats] == [2.0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (family("", GAUGE, {"gauge": {}}), "has no name"),
        (family("m", 6, {"gauge": {}}), "unknown metric type"),
        (
            family("h", HISTOGRAM, {"histogram": {**NATIVE, "positive_delta": [1]}}),
            "spans need 4 buckets, have 1",
        ),
    ],
)
def test_message_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WireError, match=message):
        memory().update(body(fields))


@given(st.binary(max_size=60), st.integers(0, 200))
def test_broken_body_is_an_error_of_ours_or_read(noise: bytes, at: int) -> None:
    whole = body(family("h", HISTOGRAM, {"labels": {"a": "b"}, "histogram": {**NATIVE, "bucket": CLASSIC}}))
    with contextlib.suppress(CollectorError):
        memory(with_classic=True).update(whole[:at] + noise + whole[at:])
