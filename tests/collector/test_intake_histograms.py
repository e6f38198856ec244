"""Native histograms from bodies to the store."""

from collections.abc import Sequence
from typing import Any

import pytest

from collector.errors import BucketLimitError, SampleLimitError
from collector.intake import Intake, Refused
from collector.relabel import RelabelConfig
from tests.collector.exposition.metric_families import GAUGE, HISTOGRAM, body, family
from tests.collector.exposition.test_custom_buckets import TEXT_BODY
from tests.collector.exposition.test_protobuf import CLASSIC, HISTOGRAM_VALUE, NATIVE
from tests.collector.scraping import STALE, TEXT_TYPE, job, stored, targets_of, values_of
from tsdb import METRIC_NAME, Matcher, MatchOp, Store
from tsdb.histogram import FloatHistogram

PROTOBUF_TYPE = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
GAUGE_FAMILY = family("g", GAUGE, {"gauge": {"value": 1}})


class Scrapes:
    """An intake, and one scrape a second."""

    def __init__(self, **settings: Any) -> None:
        self.store = Store(retention_ms=None)
        config = job(**{"scrape_native_histograms": True, **settings})
        self.intake = Intake(self.store, config, targets_of(config)[0])
        self.now_ms = 0

    def scrape(self, *families: dict[str, Any]) -> Refused:
        return self.scrape_bytes(body(*families), PROTOBUF_TYPE)

    def scrape_bytes(self, data: bytes, content_type: str) -> Refused:
        self.now_ms += 1_000
        self.batch = self.intake.read(data, content_type)
        return self.intake.commit(self.batch, self.now_ms, 0.25)

    def histograms(self, name: str) -> Sequence[tuple[int, FloatHistogram]]:
        matcher = Matcher(METRIC_NAME, MatchOp.EQUAL, name)
        selection = self.store.snapshot(0).select([matcher], 0, 1 << 60)
        return [
            (int(time_ms), histogram)
            for series in selection.histograms
            for time_ms, histogram in zip(series.timestamps_ms, series.histograms, strict=True)
        ]


def native(**changed: Any) -> dict[str, Any]:
    return family("h", HISTOGRAM, {"histogram": {**NATIVE, "bucket": CLASSIC}, **changed})


def test_native_histogram_is_stored_at_the_time_of_the_scrape() -> None:
    scrapes = Scrapes()
    assert scrapes.scrape(native(), GAUGE_FAMILY) == Refused()
    assert scrapes.histograms("h") == [(1_000, HISTOGRAM_VALUE)]
    assert (scrapes.batch.scraped, scrapes.batch.kept, scrapes.batch.series_added) == (2, 2, 2)


def test_native_histogram_that_vanishes_is_marked_stale() -> None:
    scrapes = Scrapes()
    scrapes.scrape(native(), GAUGE_FAMILY)
    scrapes.scrape(GAUGE_FAMILY)
    [points] = stored(scrapes.store, "h").values()
    assert values_of(points)[-1] == STALE


def test_time_of_its_own_is_honoured_unless_forbidden() -> None:
    scrapes = Scrapes()
    scrapes.scrape(native(timestamp_ms=500))
    assert [time_ms for time_ms, _ in scrapes.histograms("h")] == [500]
    scrapes = Scrapes(honor_timestamps=False)
    scrapes.scrape(native(timestamp_ms=500))
    assert [time_ms for time_ms, _ in scrapes.histograms("h")] == [1_000]


def test_histogram_too_far_ahead_is_out_of_bounds() -> None:
    assert Scrapes().scrape(native(timestamp_ms=10_000_000)) == Refused(out_of_bounds=1)


def test_older_histogram_is_out_of_order() -> None:
    scrapes = Scrapes()
    scrapes.scrape(native())
    assert scrapes.scrape(native(timestamp_ms=500)) == Refused(out_of_order=1)


def test_job_without_native_histograms_stores_the_classic_series() -> None:
    scrapes = Scrapes(scrape_native_histograms=False)
    scrapes.scrape(native())
    assert scrapes.histograms("h") == []
    assert len(stored(scrapes.store, "h_bucket")) == 3


def test_relabelling_turns_native_histograms_off_for_a_target() -> None:
    off = RelabelConfig(target_label="__scrape_native_histograms__", replacement="0")
    scrapes = Scrapes(relabel_configs=(off,))
    scrapes.scrape(native())
    assert scrapes.histograms("h") == []
    assert stored(scrapes.store, "h_count")


def test_job_that_wants_both_stores_both() -> None:
    scrapes = Scrapes(always_scrape_classic_histograms=True)
    scrapes.scrape(native())
    assert len(scrapes.histograms("h")) == 1
    assert len(stored(scrapes.store, "h_bucket")) == 3


@pytest.mark.parametrize(("limit", "passes"), [(2, True), (1, False)])
def test_sample_limit_counts_histograms(limit: int, passes: bool) -> None:
    scrapes = Scrapes(sample_limit=limit)
    scrapes.scrape(native(), GAUGE_FAMILY)
    assert isinstance(scrapes.batch.error, SampleLimitError) is not passes


def test_bucket_limit_fails_the_scrape() -> None:
    scrapes = Scrapes(native_histogram_bucket_limit=1)
    scrapes.scrape(native())
    assert isinstance(scrapes.batch.error, BucketLimitError)
    assert scrapes.histograms("h") == []


def test_classic_histogram_is_converted_on_request() -> None:
    scrapes = Scrapes(convert_classic_histograms_to_nhcb=True)
    for _ in range(2):
        scrapes.scrape_bytes(TEXT_BODY, TEXT_TYPE)
    assert [histogram.schema for _, histogram in scrapes.histograms("h")] == [-53, -53]
    assert stored(scrapes.store, "h_bucket") == {}
    assert scrapes.batch.series_added == 0


def test_target_may_change_its_format() -> None:
    scrapes = Scrapes()
    scrapes.scrape(GAUGE_FAMILY)
    scrapes.scrape_bytes(b"g 2\n", TEXT_TYPE)
    scrapes.scrape(GAUGE_FAMILY)
    [points] = stored(scrapes.store, "g").values()
    assert values_of(points) == [1.0, 2.0, 1.0]


def test_body_that_is_no_protobuf_fails_the_scrape() -> None:
    scrapes = Scrapes()
    scrapes.scrape_bytes(b"g 2\n", PROTOBUF_TYPE)
    assert str(scrapes.batch.error).startswith("proto: ")
