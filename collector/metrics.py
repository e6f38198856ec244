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
        self.interval_length = Lengths(
            "interval_length_seconds", "Actual intervals between scrapes.", "interval"
        )
        self.sync_length = Lengths(
            "sync_length_seconds", "Actual interval to sync the scrape pool.", "scrape_job"
        )
        for lengths in (self.interval_length, self.sync_length):
            registry.register(lengths)

    def forget_job(self, job_name: str) -> None:
        """Remove the series of a job that is gone."""
        for metric in (self.target_limit, self.targets, self.syncs, self.sync_failed):
            metric.remove_by_labels({"scrape_job": job_name})
        self.sync_length.forget(job_name)


class Lengths(Collector):
    """A summary in seconds, by one label: quantiles over its latest observations, as upstream has them."""

    def __init__(self, name: str, text: str, label: str) -> None:
        self._name = f"prometheus_target_{name}"
        self._text = text
        self._label = label
        self._latest: dict[str, deque[float]] = {}
        self._counts: dict[str, int] = {}
        self._sums: dict[str, float] = {}

    def observe(self, value: str, seconds: float) -> None:
        """Count an observation under a value of the label."""
        self._latest.setdefault(value, deque(maxlen=_OBSERVATIONS_KEPT)).append(seconds)
        self._counts[value] = self._counts.get(value, 0) + 1
        self._sums[value] = self._sums.get(value, 0.0) + seconds

    def forget(self, value: str) -> None:
        """Remove what was counted under a value of the label."""
        for known in (self._latest, self._counts, self._sums):
            known.pop(value, None)

    def collect(self) -> Iterable[Metric]:
        metric = Metric(self._name, self._text, "summary")
        for value, latest in self._latest.items():
            ordered = sorted(latest)
            labels = {self._label: value}
            for quantile in _QUANTILES:
                rank = math.ceil(quantile * len(ordered)) - 1
                metric.add_sample(self._name, {**labels, "quantile": str(quantile)}, ordered[rank])
            metric.add_sample(f"{self._name}_sum", labels, self._sums[value])
            metric.add_sample(f"{self._name}_count", labels, self._counts[value])
        yield metric
