"""The scraper's own metrics, under upstream's names (upstream scrape/metrics.go)."""

import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge
from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

_QUANTILES: Final = (0.01, 0.05, 0.5, 0.9, 0.99)
_OBSERVATIONS_KEPT: Final = 1024


class ScrapeMetrics:
    """Counters and gauges of all jobs together, or by `scrape_job`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"prometheus_target_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"prometheus_target_{name}", text, ["scrape_job"], registry=registry)

        self.pools = counter("scrape_pools_total", "Total number of scrape pool creation attempts.")
        self.reloads = counter("scrape_pool_reloads_total", "Total number of scrape pool reloads.")
        self.exceeded_target_limit = counter(
            "scrape_pool_exceeded_target_limit_total",
            "Total number of times scrape pools hit the target limit, during sync or config reload.",
        )
        self.target_limit = gauge(
            "scrape_pool_target_limit", "Maximum number of targets allowed in this scrape pool."
        )
        self.targets = gauge("scrape_pool_targets", "Current number of targets in this scrape pool.")
        self.syncs = counter(
            "scrape_pool_sync_total",
            "Total number of syncs that were executed on a scrape pool.",
            "scrape_job",
        )
        self.sync_failed = counter("sync_failed_total", "Total number of target sync failures.", "scrape_job")
        self.exceeded_body_size_limit = counter(
            "scrapes_exceeded_body_size_limit_total", "Total number of scrapes that hit the body size limit"
        )
        self.exceeded_sample_limit = counter(
            "scrapes_exceeded_sample_limit_total",
            "Total number of scrapes that hit the sample limit and were rejected.",
        )
        self.exceeded_bucket_limit = counter(
            "scrapes_exceeded_native_histogram_bucket_limit_total",
            "Total number of scrapes that hit the native histogram bucket limit and were rejected.",
        )
        self.exceeded_label_limits = counter(
            "scrape_pool_exceeded_label_limits_total",
            "Total number of times scrape pools hit the label limits, during sync or config reload.",
        )
        self.duplicate = counter(
            "scrapes_sample_duplicate_timestamp_total",
            "Total number of samples rejected due to duplicate timestamps but different values.",
        )
        self.out_of_order = counter(
            "scrapes_sample_out_of_order_total",
            "Total number of samples rejected due to not being out of the expected order.",
        )
        self.out_of_bounds = counter(
            "scrapes_sample_out_of_bounds_total",
            "Total number of samples rejected due to timestamp falling outside of the time bounds.",
        )
        self.no_room = counter(
            "scrapes_memory_limit_series_total",
            "Total number of new series in scrapes that the memory limit left no room for.",
        )
        self.interval_length = IntervalLengths()
        registry.register(self.interval_length)

    def forget_job(self, job_name: str) -> None:
        """Remove the series of a job that is gone."""
        for metric in (self.target_limit, self.targets, self.syncs, self.sync_failed):
            metric.remove_by_labels({"scrape_job": job_name})


class IntervalLengths(Collector):
    """`prometheus_target_interval_length_seconds`: quantiles over the latest scrapes of each interval."""

    def __init__(self) -> None:
        self._latest: dict[str, deque[float]] = {}
        self._counts: dict[str, int] = {}
        self._sums: dict[str, float] = {}

    def observe(self, interval: str, seconds: float) -> None:
        """Count the time between two scrapes of a target that is to be scraped each `interval`."""
        self._latest.setdefault(interval, deque(maxlen=_OBSERVATIONS_KEPT)).append(seconds)
        self._counts[interval] = self._counts.get(interval, 0) + 1
        self._sums[interval] = self._sums.get(interval, 0.0) + seconds

    def collect(self) -> Iterable[Metric]:
        name = "prometheus_target_interval_length_seconds"
        metric = Metric(name, "Actual intervals between scrapes.", "summary")
        for interval, latest in self._latest.items():
            ordered = sorted(latest)
            labels = {"interval": interval}
            for quantile in _QUANTILES:
                rank = math.ceil(quantile * len(ordered)) - 1
                metric.add_sample(name, {**labels, "quantile": str(quantile)}, ordered[rank])
            metric.add_sample(f"{name}_sum", labels, self._sums[interval])
            metric.add_sample(f"{name}_count", labels, self._counts[interval])
        yield metric
