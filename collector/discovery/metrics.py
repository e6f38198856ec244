"""The metrics of discovery, under upstream's names (upstream discovery/metrics.go and its mechanisms')."""

from typing import Final

from prometheus_client import Counter, Gauge, Summary
from prometheus_client.registry import CollectorRegistry

_ROLES: Final = ("endpointslice", "endpoints", "node", "pod", "service", "ingress")
_EVENTS: Final = ("add", "delete", "update")
_MANAGER: Final = "scrape"
"""The value of the label `name`: upstream has a second manager, for Alertmanagers."""


class ManagerMetrics:
    """What the discovery manager counts, by `config`: the job's name."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"prometheus_sd_{name}", text, ["name", "config"], registry=registry)

        def counter(name: str, text: str) -> Counter:
            return Counter(f"prometheus_sd_{name}", text, ["name"], registry=registry).labels(_MANAGER)

        self._discovered = gauge("discovered_targets", "Current number of discovered targets.")
        self._last_update = gauge(
            "last_update_timestamp_seconds", "Timestamp of the last update sent to the SD consumers."
        )
        self.received = counter(
            "received_updates_total", "Total number of update events received from the SD providers."
        )
        self.sent = counter("updates_total", "Total number of update events sent to the SD consumers.")
        self.delayed = counter(
            "updates_delayed_total", "Total number of update events that couldn't be sent immediately."
        )
        self.failed_configs = Gauge(
            "prometheus_sd_failed_configs",
            "Current number of service discovery configurations that failed to load.",
            ["name"],
            registry=registry,
        ).labels(_MANAGER)

    def updated(self, job_name: str, targets: int, now_ms: int) -> None:
        """A job was told about its targets."""
        self._discovered.labels(_MANAGER, job_name).set(targets)
        self._last_update.labels(_MANAGER, job_name).set(now_ms / 1000)

    def forget_job(self, job_name: str) -> None:
        """Remove the series of a job that is gone."""
        for metric in (self._discovered, self._last_update):
            metric.remove_by_labels({"config": job_name})


class RefreshMetrics:
    """Discoveries that look anew each interval, by `mechanism` and `config`."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        labels = ("mechanism", "config")
        self.failures = Counter(
            "prometheus_sd_refresh_failures_total",
            "Number of refresh failures for the given SD mechanism.",
            labels,
            registry=registry,
        )
        self.duration = Summary(
            "prometheus_sd_refresh_duration_seconds",
            "The duration of a refresh in seconds for the given SD mechanism.",
            labels,
            registry=registry,
        )
        self.http_failures = Counter(
            "prometheus_sd_http_failures_total",
            "Number of HTTP service discovery refresh failures.",
            registry=registry,
        )
        self.dns_lookups = Counter(
            "prometheus_sd_dns_lookups_total", "The number of DNS-SD lookups.", registry=registry
        )
        self.dns_failures = Counter(
            "prometheus_sd_dns_lookup_failures_total",
            "The number of DNS-SD lookup failures.",
            registry=registry,
        )
        self.file_read_errors = Counter(
            "prometheus_sd_file_read_errors_total", "The number of File-SD read errors.", registry=registry
        )
        self.file_scan_duration = Summary(
            "prometheus_sd_file_scan_duration_seconds",
            "The duration of the File-SD scan in seconds.",
            registry=registry,
        )
        self.file_mtime = Gauge(
            "prometheus_sd_file_mtime_seconds",
            "Timestamp (mtime) of files read by FileSD. Timestamp is set at read time.",
            ["filename"],
            registry=registry,
        )

    def forget_job(self, job_name: str) -> None:
        """Remove the series of a job that is gone."""
        for metric in (self.failures, self.duration):
            metric.remove_by_labels({"config": job_name})


class KubernetesMetrics:
    """Discovery in Kubernetes."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self.events = Counter(
            "prometheus_sd_kubernetes_events_total",
            "The number of Kubernetes events handled.",
            ["role", "event"],
            registry=registry,
        )
        for role in _ROLES:
            for event in _EVENTS:
                self.events.labels(role, event)
        self.failures = Counter(
            "prometheus_sd_kubernetes_failures_total",
            "The number of failed WATCH/LIST requests.",
            registry=registry,
        )
        self._requests = Counter(
            "prometheus_sd_kubernetes_http_request_total",
            "Total number of HTTP requests to the Kubernetes API by status code.",
            ["status_code"],
            registry=registry,
        )
        self._latency = Summary(
            "prometheus_sd_kubernetes_http_request_duration_seconds",
            "Summary of latencies for HTTP requests to the Kubernetes API by endpoint.",
            ["endpoint"],
            registry=registry,
        )

    def answered(self, path: str, status: int, seconds: float) -> None:
        """A request to the API server was answered; what a watch then tells takes longer."""
        self._requests.labels(str(status)).inc()
        self._latency.labels(path).observe(seconds)


class DiscoveryMetrics:
    """All of them. Without a registry nobody sees them."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self.manager = ManagerMetrics(registry)
        self.refresh = RefreshMetrics(registry)
        self.kubernetes = KubernetesMetrics(registry)

    def forget_job(self, job_name: str) -> None:
        """Remove the series of a job that is gone."""
        self.manager.forget_job(job_name)
        self.refresh.forget_job(job_name)
