"""How fine native histograms may be."""

import pytest

from collector.errors import BucketLimitError
from collector.histogram_rules import HistogramRules, finest_schema
from tsdb.histogram import Buckets, FloatHistogram


# A factor is 2 ** 2 ** -schema: 2 for schema 0, its square root 1.414 for schema 1, 4 for schema -1.
@pytest.mark.parametrize(
    ("factor", "schema"),
    [(0, 8), (1, 8), (1.00271, 8), (1.1, 2), (1.414, 1), (1.42, 0), (2, 0), (2.1, -1), (4, -1), (1e9, -4)],
)
def test_schema_is_the_finest_whose_buckets_grow_by_the_factor(factor: float, schema: int) -> None:
    assert finest_schema(factor) == schema


def histogram(schema: int, buckets: int) -> FloatHistogram:
    return FloatHistogram(schema=schema, positive=Buckets.dense(1, [1.0] * buckets))


def test_finer_histogram_is_made_coarser() -> None:
    assert HistogramRules(0, 0).apply(histogram(1, 4)) == FloatHistogram(
        schema=0, positive=Buckets.dense(1, [2.0, 2.0])
    )


def test_histogram_with_as_many_buckets_as_allowed_stays() -> None:
    assert HistogramRules(4, 8).apply(histogram(1, 4)) == histogram(1, 4)


def test_histogram_with_one_bucket_more_is_halved_until_it_fits() -> None:
    assert HistogramRules(3, 8).apply(histogram(1, 4)).schema == 0


def test_histogram_that_cannot_be_coarser_fails() -> None:
    with pytest.raises(BucketLimitError, match="histogram bucket limit exceeded"):
        HistogramRules(1, 8).apply(FloatHistogram(schema=-4, positive=Buckets.dense(1, [1.0, 1.0])))
    custom = FloatHistogram(schema=-53, positive=Buckets.dense(0, [1.0, 1.0]), custom_values=(1.0,))
    with pytest.raises(BucketLimitError):
        HistogramRules(1, 0).apply(custom)
