"""Judges a canary as Flagger does: asks Prometheus, compares the value with its bounds, counts failures."""

import json
import math
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

SUCCESS_RATE = """
100 * sum(rate(http_requests_total{namespace="%(namespace)s", pod=~"%(name)s-.+", code!~"5.."}[%(interval)s]))
  / sum(rate(http_requests_total{namespace="%(namespace)s", pod=~"%(name)s-.+"}[%(interval)s]))
"""


class NoValuesError(Exception):
    """The query has no answer: the canary gets no traffic, or the query is wrong."""


class QueryFailedError(Exception):
    """Prometheus did not answer, or with an error."""


class Verdict(Enum):
    """What becomes of the canary."""

    ADVANCE = "advance"
    HALT = "halt"
    ROLL_BACK = "roll back"


@dataclass(frozen=True)
class Metric:
    """A query with one value, and between what it may lie."""

    query: str
    least: float = -math.inf
    most: float = math.inf


def success_rate(namespace: str, name: str, *, interval: str = "1m", least: float = 99.0) -> Metric:
    """The percentage of requests without an error of the server."""
    return Metric(SUCCESS_RATE % {"namespace": namespace, "name": name, "interval": interval}, least)


@dataclass
class Analysis:
    """A canary under analysis; `check` it once an interval."""

    prometheus: str
    metric: Metric
    most_failures: int = 3
    timeout_seconds: float = 5.0
    failures: int = 0
    reasons: list[str] = field(default_factory=list)

    def check(self) -> Verdict:
        """Ask once, and decide. Too many failed checks roll the canary back; no value is a failed check."""
        reason = self._problem()
        if not reason:
            return Verdict.ADVANCE
        self.failures += 1
        self.reasons.append(reason)
        return Verdict.ROLL_BACK if self.failures >= self.most_failures else Verdict.HALT

    def _problem(self) -> str:
        try:
            value = ask(self.prometheus, self.metric.query, self.timeout_seconds)
        except (NoValuesError, QueryFailedError) as error:
            return str(error)
        if not self.metric.least <= value <= self.metric.most:
            return f"{value:.2f} is not within {self.metric.least} and {self.metric.most}"
        return ""


def ask(prometheus: str, query: str, timeout_seconds: float = 5.0) -> float:
    """The value of a query now. Raises `NoValuesError`, `QueryFailedError`."""
    url = f"{prometheus}/api/v1/query?{urlencode({'query': query})}"
    try:
        with urlopen(url, timeout=timeout_seconds) as answer:
            result = json.load(answer)["data"]["result"]
    except HTTPError as error:
        with error:
            raise QueryFailedError(f"HTTP {error.code}: {error.read().decode()}") from error
    except (OSError, HTTPException, ValueError, KeyError) as error:
        raise QueryFailedError(f"no answer: {error}") from error
    values = [float(series["value"][1]) for series in result]
    if not values or math.isnan(values[0]):
        raise NoValuesError("no values found")
    return values[0]
