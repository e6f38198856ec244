"""How much of each service's error budget is left, by prometheus-api-client."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_api_client import PrometheusConnect

ERRORS = """
  sum by (service) (increase(requests_total{code=~"5.."}[1h]))
/ sum by (service) (increase(requests_total[1h]))
"""


@dataclass(frozen=True)
class Report:
    """Of one service."""

    service: str
    budget_left: float
    """1: no errors; 0: the objective is just met; below: missed."""
    worst: float
    """The highest share of errors at any time of the last hour."""


def reports(url: str, now: datetime, objective: float = 0.99) -> list[Report]:
    """One a service, the poorest first."""
    prometheus = PrometheusConnect(url=url)
    shares = {
        series["metric"]["service"]: float(series["value"][1]) for series in prometheus.custom_query(ERRORS)
    }
    found = [
        Report(service, 1 - share / (1 - objective), _worst(prometheus, service, now))
        for service, share in shares.items()
    ]
    return sorted(found, key=lambda report: report.budget_left)


def _worst(prometheus: PrometheusConnect, service: str, now: datetime) -> float:
    requests = f'requests_total{{service="{service}"'
    query = f'sum(rate({requests}, code=~"5.."}}[5m])) / sum(rate({requests}}}[5m]))'
    (series,) = prometheus.custom_query_range(query, now - timedelta(hours=1), now, step="60")
    return max(float(value) for _, value in series["values"])
