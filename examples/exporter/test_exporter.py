from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from exporter import BackupCollector, Backups
from miniprom.testing import FakePrometheus

ALERTS = Path(__file__).with_name("alerts.yml").read_text()


@pytest.fixture
def backups() -> Backups:
    return Backups("orders")


@pytest.fixture
def registry(backups: Backups) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(BackupCollector([backups]))
    return registry


@pytest.fixture(autouse=True)
def alerts(prometheus: FakePrometheus) -> None:
    prometheus.configure("rule_files: [alerts.yml]", rules={"alerts.yml": ALERTS})


def run(prometheus: FakePrometheus, registry: CollectorRegistry, minutes: int) -> None:
    """Scrape once a minute, as a Prometheus would; nobody waits for it."""
    for _ in range(minutes):
        prometheus.scrape(registry, job="backup")
        prometheus.clock.advance("1m")


def firing(prometheus: FakePrometheus) -> list[str]:
    return [alert["labels"]["alertname"] for alert in prometheus.alerts() if alert["state"] == "firing"]


def test_sizes_have_the_labels_of_database_and_target(
    prometheus: FakePrometheus, backups: Backups, registry: CollectorRegistry
) -> None:
    backups.succeed(prometheus.now(), 4096)
    assert prometheus.scrape(registry, job="backup", instance="db-1:9000")
    size = prometheus.query("backup_size_bytes")
    assert size[{"database": "orders", "job": "backup", "instance": "db-1:9000"}] == 4096
    assert prometheus.query("time() - backup_last_success_timestamp_seconds").by("database") == {"orders": 0}


def test_a_database_that_was_never_saved_has_no_size(
    prometheus: FakePrometheus, registry: CollectorRegistry
) -> None:
    prometheus.scrape(registry)
    assert not prometheus.query("backup_size_bytes")
    assert prometheus.query("backup_failures_total").scalar() == 0


def test_a_failure_alerts_at_once(
    prometheus: FakePrometheus, backups: Backups, registry: CollectorRegistry
) -> None:
    run(prometheus, registry, minutes=5)
    assert firing(prometheus) == []
    backups.fail()
    run(prometheus, registry, minutes=2)
    assert firing(prometheus) == ["BackupFails"]


def test_an_old_backup_alerts_after_ten_minutes(
    prometheus: FakePrometheus, backups: Backups, registry: CollectorRegistry
) -> None:
    backups.succeed(prometheus.now() - 24 * 3600 + 60, 4096)
    run(prometheus, registry, minutes=5)
    assert [alert["state"] for alert in prometheus.alerts()] == ["pending"]
    run(prometheus, registry, minutes=10)
    assert firing(prometheus) == ["BackupTooOld"]
    backups.succeed(prometheus.now(), 4096)
    run(prometheus, registry, minutes=2)
    assert firing(prometheus) == []


def test_an_exporter_that_fails_is_down(prometheus: FakePrometheus, registry: CollectorRegistry) -> None:
    prometheus.scrape(registry, job="backup")
    with prometheus.target_garbage(job="backup"):
        prometheus.clock.advance("15s")
        prometheus.scrape(registry, job="backup")
    assert prometheus.query('up{job="backup"}').scalar() == 0
    assert not prometheus.query("backup_failures_total")
