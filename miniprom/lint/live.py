"""The data of a running server, ours or Prometheus, asked over its API."""

import json
import time
from collections.abc import Collection
from functools import cache, cached_property
from http.client import HTTPException
from itertools import pairwise
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from collector.errors import UnitError
from collector.units import parse_duration_ms
from miniprom.errors import MinipromError
from miniprom.lint.facts import MetricFacts
from tsdb import METRIC_NAME, labels_from

_HOUR_SECONDS: Final = 3600
_STEP_SECONDS: Final = 15


class LiveError(MinipromError):
    """The server can't be asked."""


class LiveData:
    """What a server at a URL has, in the last hour; each thing is asked once."""

    def __init__(self, url: str, timeout_seconds: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self.metric = cache(self._metric)

    @cached_property
    def retention_ms(self) -> int:
        flags = self._ask("status/flags")
        try:
            return parse_duration_ms(flags.get("storage.tsdb.retention.time", "0"))
        except UnitError:
            return 0

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self._ask(f"label/{METRIC_NAME}/values"))

    @cached_property
    def _intervals_ms(self) -> dict[str, int]:
        """The scrape interval by the job's name."""
        targets = self._ask("targets", state="active")["activeTargets"]
        return {
            target["labels"].get("job", ""): parse_duration_ms(target["scrapeInterval"]) for target in targets
        }

    def names(self) -> Collection[str]:
        return self._names

    def flaps(self, query: str) -> int:
        end = time.time()
        window = {"start": end - _HOUR_SECONDS, "end": end, "step": _STEP_SECONDS}
        matrix = self._ask("query_range", query=query, **window)["result"]
        return max((_gaps([at for at, _ in series.get("values", ())], end) for series in matrix), default=0)

    def _metric(self, name: str) -> MetricFacts | None:
        if name not in self._names:
            return None
        selector = f"{{{METRIC_NAME}={json.dumps(name)}}}"
        window = {"start": time.time() - _HOUR_SECONDS, "end": time.time()}
        series = self._ask("series", **{"match[]": selector}, **window)
        jobs = {labels.get("job", "") for labels in series}
        intervals_ms = (self._intervals_ms[job] for job in jobs & self._intervals_ms.keys())
        frozen = tuple(labels_from(labels) for labels in series)
        return MetricFacts(frozen, self._kind(name), max(intervals_ms, default=0)) if frozen else None

    def _kind(self, name: str) -> str:
        family = name.removesuffix("_total")  # OpenMetrics names the family without it
        known = (self._ask("metadata", metric=each).get(each) for each in (name, family))
        kind = next((str(entries[0]["type"]) for entries in known if entries), "")
        return "" if kind == "unknown" else kind

    def _ask(self, path: str, **params: Any) -> Any:
        url = f"{self._url}/api/v1/{path}?{urlencode(params)}"
        try:
            with urlopen(url, timeout=self._timeout_seconds) as response:
                return json.load(response)["data"]
        except HTTPError as error:
            raise LiveError(f"{url}: {error.code} {error.read(500).decode(errors='replace')}") from error
        except (OSError, HTTPException, ValueError, KeyError) as error:
            raise LiveError(f"{url}: {error}") from error


def _gaps(times: list[float], end: float) -> int:
    """How often a series ends among steps."""
    ends = sum(later - earlier > 1.5 * _STEP_SECONDS for earlier, later in pairwise(times))
    return ends + (bool(times) and end - times[-1] > 1.5 * _STEP_SECONDS)
