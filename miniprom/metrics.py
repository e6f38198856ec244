"""The server's own metrics, under Prometheus's names where they mean the same."""

import platform
import sys
from collections.abc import Iterable, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, Summary
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from miniprom.version import BRANCH, PROMETHEUS_VERSION, REVISION
from tsdb import Store

# Upstream's metric name of each of the slices that a query's time is spent in.
_SLICES = {
    "execQueueTime": "queue_time",
    "queryPreparationTime": "prepare_time",
    "innerEvalTime": "inner_eval",
    "resultSortTime": "result_sort",
}


class Metrics:
    """The registry behind /metrics, and what the server counts itself."""

    def __init__(self, store: Store, *, max_concurrency: int) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        ProcessCollector(registry=registry)
        registry.register(_StoreCollector(store))
        build = Gauge(
            "prometheus_build_info",
            "A metric with a constant 1 value labeled by version, revision, branch and runtime.",
            ["version", "revision", "branch", "goversion", "goos", "goarch", "tags"],
            registry=registry,
        )
        runtime = f"python{platform.python_version()}"
        build.labels(PROMETHEUS_VERSION, REVISION, BRANCH, runtime, sys.platform, platform.machine(), "").set(
            1
        )
        http_requests = Counter(
            "prometheus_http_requests", "Counter of HTTP requests.", ["handler", "code"], registry=registry
        )
        http_duration = Histogram(
            "prometheus_http_request_duration_seconds",
            "Histogram of latencies for HTTP requests.",
            ["handler"],
            buckets=(0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120),
            registry=registry,
        )
        query_duration = Summary(
            "prometheus_engine_query_duration_seconds", "Query timings.", ["slice"], registry=registry
        )
        # To find what has the labels takes longer than to count: done once.
        self._http_requests = cache(http_requests.labels)
        self._http_duration = cache(http_duration.labels)
        self._query_duration = cache(query_duration.labels)
        self.queries = Gauge(
            "prometheus_engine_queries",
            "The current number of queries being executed or waiting.",
            registry=registry,
        )
        Gauge(
            "prometheus_engine_queries_concurrent_max",
            "The max number of concurrent queries.",
            registry=registry,
        ).set(max_concurrency)
        self.ready = Gauge(
            "prometheus_ready", "Whether Prometheus startup was fully completed.", registry=registry
        )
        self.reload_successful = Gauge(
            "prometheus_config_last_reload_successful",
            "Whether the last configuration reload attempt was successful.",
            registry=registry,
        )
        self.reload_time = Gauge(
            "prometheus_config_last_reload_success_timestamp_seconds",
            "Timestamp of the last successful configuration reload.",
            registry=registry,
        )
        self.invalid_labels = Counter(
            "prometheus_api_remote_write_invalid_labels_samples",
            "Remote write samples which were rejected due to invalid labels.",
            registry=registry,
        )

    def http_answered(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._http_requests(route, str(status)).inc()
        self._http_duration(route).observe(seconds)

    def query_evaluated(self, timings_seconds: Mapping[str, float]) -> None:
        """Count one query."""
        for name, slice_ in _SLICES.items():
            self._query_duration(slice_).observe(timings_seconds[name])


class _StoreCollector(Collector):
    """Reads the store when /metrics is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterable[Metric]:
        stats = self._store.stats()
        yield GaugeMetricFamily(
            "prometheus_tsdb_head_series", "Total number of series in the head block.", stats.series
        )
        samples = CounterMetricFamily(
            "prometheus_tsdb_head_samples_appended", "Total number of appended samples.", labels=["type"]
        )
        samples.add_metric(["float"], stats.samples_appended)
        yield samples
        yield GaugeMetricFamily(
            "prometheus_tsdb_head_min_time",
            "Minimum time of the samples held, in milliseconds.",
            stats.min_time_ms or 0,
        )
        yield GaugeMetricFamily(
            "prometheus_tsdb_head_max_time",
            "Maximum time of the samples held, in milliseconds.",
            stats.max_time_ms or 0,
        )
        yield GaugeMetricFamily(
            "miniprom_store_bytes", "Memory that samples and labels take.", stats.memory_bytes
        )
        yield GaugeMetricFamily(
            "miniprom_store_limit_bytes",
            "Memory that the store may take; 0 is no limit.",
            stats.memory_limit_bytes or 0,
        )
        yield CounterMetricFamily(
            "miniprom_store_series_refused",
            "How often the memory limit left no room for a new series.",
            stats.series_refused,
        )
