"""Classic histograms as native ones with custom buckets."""

import pytest

from collector.exposition import TEXT, LineMemory
from collector.exposition.custom_buckets import CustomBucketMemory
from collector.exposition.protobuf_memory import ProtobufMemory
from tests.collector.exposition.metric_families import HISTOGRAM, body, family
from tests.collector.exposition.test_protobuf import CLASSIC, NATIVE, samples, shown
from tsdb.histogram import Buckets, CounterReset, FloatHistogram

TEXT_BODY = b"""\
# TYPE h histogram
h_bucket{a="b",le="0.5"} 1
h_bucket{a="b",le="1"} 3
h_bucket{a="b",le="+Inf"} 4
h_sum{a="b"} 2.5
h_count{a="b"} 4
other 7
"""
CONVERTED = FloatHistogram(
    schema=-53, count=4, sum=2.5, positive=Buckets.dense(0, [1.0, 2.0, 1.0]), custom_values=(0.5, 1.0)
)


def memory(*, keep_classic: bool = False) -> CustomBucketMemory:
    return CustomBucketMemory(LineMemory(TEXT), keep_classic=keep_classic)


def test_histogram_of_the_text_format_is_converted() -> None:
    update = memory().update(TEXT_BODY)
    [sample] = update.histograms
    assert (sample.histogram, shown(update.added[sample.slot])) == (CONVERTED, "h,a=b")
    assert samples(update) == {"other": 7.0}


def test_classic_series_are_kept_on_request() -> None:
    update = memory(keep_classic=True).update(TEXT_BODY)
    assert len(update.histograms) == 1
    assert len(samples(update)) == 6


def test_histogram_of_protobuf_is_converted_unless_it_is_native() -> None:
    classic = {"sample_count": 4, "sample_sum": 2.5, "bucket": CLASSIC}
    families = family(
        "h",
        HISTOGRAM,
        {"labels": {"a": "b"}, "histogram": classic},
        {"histogram": {**NATIVE, "bucket": CLASSIC}},
    )
    inner = ProtobufMemory(native=True, with_classic=True)
    update = CustomBucketMemory(inner, keep_classic=True).update(body(families))
    native, converted = update.histograms
    assert (native.histogram.schema, converted.histogram) == (1, CONVERTED)


def test_layout_that_stays_keeps_its_slots() -> None:
    known = memory()
    first = known.update(TEXT_BODY)
    second = known.update(TEXT_BODY.replace(b"other 7", b"other 8"))
    assert second.slots is first.slots
    assert (second.added, second.vanished.tolist()) == ({}, [])
    assert second.histograms[0].slot == first.histograms[0].slot


def test_histogram_that_is_gone_vanishes() -> None:
    known = memory()
    first = known.update(TEXT_BODY)
    update = known.update(b"other 7\n")
    assert update.vanished.tolist() == [first.histograms[0].slot]
    assert update.histograms == ()


@pytest.mark.parametrize(
    "text",
    [
        TEXT_BODY.replace(b'le="1"} 3', b'le="1"} 0'),  # counts that fall
        TEXT_BODY.replace(b"} 4\n", b"} 5\n", 1),  # the last is not the count
    ],
)
def test_buckets_that_contradict_each_other_give_no_sample(text: bytes) -> None:
    assert memory().update(text).histograms == ()


def test_missing_infinite_bucket_is_made_of_the_count() -> None:
    text = TEXT_BODY.replace(b'h_bucket{a="b",le="+Inf"} 4\n', b"")
    assert memory().update(text).histograms[0].histogram == CONVERTED


@pytest.mark.parametrize("name", [b"histogram", b"h_bucket"])
def test_series_that_only_look_like_a_histogram_stay(name: bytes) -> None:
    text = TEXT_BODY.replace(b"# TYPE h histogram\n", b"") if name == b"histogram" else b"h_bucket 1\n"
    update = memory().update(text)
    assert update.histograms == ()
    assert len(samples(update)) == text.count(b"\n")


def test_converted_histogram_is_a_counter() -> None:
    assert memory().update(TEXT_BODY).histograms[0].histogram.counter_reset_hint is CounterReset.UNKNOWN
