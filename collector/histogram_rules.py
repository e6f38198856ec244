"""How fine native histograms may be. Upstream: bucketLimitAppender, maxSchemaAppender and pickSchema."""

import math
from dataclasses import dataclass
from typing import Final

from collector.config import ScrapeConfig
from collector.errors import BucketLimitError
from tsdb.histogram import MAX_SCHEMA, MIN_SCHEMA, FloatHistogram
from tsdb.histogram_arithmetic import reduce_resolution

_FINEST_FACTOR: Final = 1.00271
"""How much wider than the one before a bucket of the finest schema is."""


@dataclass(frozen=True)
class HistogramRules:
    """Limits of a job; a `bucket_limit` of 0 is none."""

    bucket_limit: int
    max_schema: int

    @staticmethod
    def of(job: ScrapeConfig) -> "HistogramRules":
        """The limits of a job."""
        return HistogramRules(
            job.native_histogram_bucket_limit, finest_schema(job.native_histogram_min_bucket_factor)
        )

    def apply(self, histogram: FloatHistogram) -> FloatHistogram:
        """The histogram, coarser if need be. Raises `BucketLimitError` where that does not help."""
        if not histogram.uses_custom_buckets and histogram.schema > self.max_schema:
            histogram = reduce_resolution(histogram, self.max_schema)
        while self.bucket_limit and _buckets(histogram) > self.bucket_limit:
            if histogram.uses_custom_buckets or histogram.schema <= MIN_SCHEMA:
                raise BucketLimitError
            histogram = reduce_resolution(histogram, histogram.schema - 1)
        return histogram


def finest_schema(bucket_factor: float) -> int:
    """The finest schema whose buckets grow by at least that factor."""
    factor = bucket_factor if bucket_factor > 1 else _FINEST_FACTOR
    schema = math.floor(-math.log2(math.log2(factor)))
    return max(MIN_SCHEMA, min(MAX_SCHEMA, schema))


def _buckets(histogram: FloatHistogram) -> int:
    return len(histogram.positive) + len(histogram.negative)
