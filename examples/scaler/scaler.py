"""Decides how many replicas a query asks for, as KEDA's Prometheus scaler does."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from urllib.parse import urlencode
from urllib.request import urlopen


class ScalerError(Exception):
    """There is no number to scale by."""


@dataclass
class Scaler:
    """One trigger; `poll` it once an interval."""

    prometheus: str
    query: str
    threshold: float
    least: int = 0
    most: int = 10
    activation: float = 0.0
    ignore_null_values: bool = True
    fallback: int | None = None
    """Replicas after three failures in a row."""
    failures: int = 0

    def poll(self) -> int | None:
        """Replicas wanted now; None: leave it as it is."""
        try:
            value = self.value()
        except (OSError, HTTPException, ValueError, KeyError, ScalerError):
            self.failures += 1
            return self.fallback if self.failures >= 3 else None
        self.failures = 0
        if value <= self.activation:
            return self.least
        return min(max(math.ceil(value / self.threshold), self.least, 1), self.most)

    def value(self) -> float:
        """The number that the query gives. Raises `ScalerError`, and what `urlopen` and `json.load` do."""
        time = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        url = f"{self.prometheus}/api/v1/query?{urlencode({'query': self.query, 'time': time})}"
        with urlopen(url, timeout=3) as answer:
            result = json.load(answer)["data"]["result"]
        if len(result) > 1:
            raise ScalerError(f"{self.query} gives {len(result)} series, not one")
        value = float(result[0]["value"][1]) if result else math.nan
        if math.isfinite(value):
            return value
        if self.ignore_null_values:
            return 0.0
        raise ScalerError(f"{self.query} gives no number")
