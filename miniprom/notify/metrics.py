"""The metrics of delivery, under upstream's names. Source: upstream's notifier/metric.go."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary


class NotifyMetrics:
    """All but two by the URL of the Alertmanager."""

    def __init__(self, registry: CollectorRegistry, capacity: int) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(f"prometheus_notifications_{name}", text, ["alertmanager"], registry=registry)

        self.sent = counter("sent", "Total number of alerts sent.")
        self.errors = counter("errors", "Total number of sent alerts affected by errors.")
        self.dropped = counter("dropped", "Total number of alerts dropped for want of room, or refused.")
        self.latency = Summary(
            "prometheus_notifications_latency_seconds",
            "Latency of sending alert notifications.",
            ["alertmanager"],
            registry=registry,
        )
        self.latency_histogram = Histogram(
            "prometheus_notifications_latency_histogram_seconds",
            "Latency histogram for sending alert notifications.",
            ["alertmanager"],
            buckets=(0.01, 0.1, 1, 10),
            registry=registry,
        )
        self.queue_length = Gauge(
            "prometheus_notifications_queue_length",
            "The number of alert notifications in the queue.",
            ["alertmanager"],
            registry=registry,
        )
        Gauge(
            "prometheus_notifications_queue_capacity",
            "The capacity of the alert notifications queue.",
            registry=registry,
        ).set(capacity)
        self.discovered = Gauge(
            "prometheus_notifications_alertmanagers_discovered",
            "The number of alertmanagers discovered and active.",
            registry=registry,
        )

    def start(self, url: str) -> None:
        """Let the series of an Alertmanager begin."""
        for metric in (self.sent, self.errors, self.dropped, self.queue_length):
            metric.labels(url)

    def forget(self, url: str) -> None:
        """Let them end."""
        metrics = (self.sent, self.errors, self.dropped, self.latency, self.latency_histogram)
        for metric in (*metrics, self.queue_length):
            metric.remove_by_labels({"alertmanager": url})
