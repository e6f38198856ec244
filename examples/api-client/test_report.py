from datetime import UTC, datetime

import pytest
from prometheus_api_client.exceptions import PrometheusApiClientException

from miniprom.testing import FakePrometheus, counter, flapping
from report import reports


def now(prometheus: FakePrometheus) -> datetime:
    return datetime.fromtimestamp(prometheus.now(), UTC)


@pytest.fixture
def services(prometheus: FakePrometheus) -> FakePrometheus:
    """Two hours: checkout fails one request of 200; search every tenth, but for ten minutes an hour alone."""
    prometheus.load(
        {
            'requests_total{service="checkout", code="200"}': counter(199),
            'requests_total{service="checkout", code="500"}': counter(1),
            'requests_total{service="search", code="200"}': counter(90),
            'requests_total{service="search", code="503"}': counter(flapping("10m", "50m", high=10)),
        }
    )
    return prometheus


def test_the_poorest_is_first(services: FakePrometheus) -> None:
    search, checkout = reports(services.url, now(services))
    assert (search.service, checkout.service) == ("search", "checkout")
    assert checkout.budget_left == pytest.approx(0.5, abs=0.01)
    assert search.budget_left == pytest.approx(1 - 1.82, abs=0.05)  # 10/60 of a tenth is 1.8 %


def test_the_worst_minute_is_found(services: FakePrometheus) -> None:
    search, checkout = reports(services.url, now(services))
    assert search.worst == pytest.approx(0.1, rel=0.01)
    assert checkout.worst == pytest.approx(0.005, rel=0.01)


def test_an_error_of_prometheus_is_told(prometheus: FakePrometheus) -> None:
    with (
        prometheus.failing(status=422, error_type="execution", error="query timed out"),
        pytest.raises(PrometheusApiClientException, match="query timed out"),
    ):
        reports(prometheus.url, now(prometheus))
