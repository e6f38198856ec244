"""The scraper's own metrics."""

from prometheus_client.registry import CollectorRegistry

from collector.metrics import ScrapeMetrics


def test_quantiles_are_those_of_the_observations() -> None:
    registry = CollectorRegistry()
    metrics = ScrapeMetrics(registry)
    for seconds in range(99, 0, -1):
        metrics.interval_length.observe("15s", seconds)
    shown = {
        quantile: registry.get_sample_value(
            "prometheus_target_interval_length_seconds", {"interval": "15s", "quantile": quantile}
        )
        for quantile in ("0.01", "0.05", "0.5", "0.9", "0.99")
    }
    assert shown == {"0.01": 1, "0.05": 5, "0.5": 50, "0.9": 90, "0.99": 99}
