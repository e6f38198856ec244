"""Exports what is known of backups."""

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


@dataclass
class Backups:
    """The backups of one database."""

    database: str
    last_success: float = 0.0
    size_bytes: int = 0
    failures: int = 0

    def succeed(self, now: float, size_bytes: int) -> None:
        self.last_success, self.size_bytes = now, size_bytes

    def fail(self) -> None:
        self.failures += 1


class BackupCollector(Collector):
    """Register it with a registry of `prometheus_client`."""

    def __init__(self, backups: Iterable[Backups]) -> None:
        self._backups = list(backups)

    def collect(self) -> Iterable[Metric]:
        success = GaugeMetricFamily(
            "backup_last_success_timestamp_seconds", "When the last good one was made.", labels=["database"]
        )
        size = GaugeMetricFamily("backup_size_bytes", "Of the last good one.", labels=["database"])
        failures = CounterMetricFamily("backup_failures", "Those that failed.", labels=["database"])
        for one in self._backups:
            if one.last_success:
                success.add_metric([one.database], one.last_success)
                size.add_metric([one.database], one.size_bytes)
            failures.add_metric([one.database], one.failures)
        return [success, size, failures]
