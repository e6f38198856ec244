"""`query_log_file`: a line of JSON for each query of a request or of a rule. Upstream: promql.Engine.exec."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge

from miniprom.config import ConfigFileError
from miniprom.logs import JsonFormatter
from query import QueryWindow

Origin: TypeAlias = Mapping[str, str]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class QueryLog:
    """The file, if one is in use. `write` may be called by any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        prefix = "prometheus_engine_query_log"
        self._enabled = Gauge(f"{prefix}_enabled", "State of the query log.", registry=registry)
        self._failures = Counter(f"{prefix}_failures", "The number of query log failures.", registry=registry)
        self._logger = logging.Logger("queries")
        self._file: _File | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is anything to write to."""
        return self._file is not None

    def use(self, name: str) -> None:
        """Write to a file from now on, opened anew if it was in use; "" is none. Raises `ConfigFileError`."""
        try:
            new = _File(name, self._failures) if name else None
        except OSError as error:
            raise ConfigFileError(f"can't write query_log_file: {error}") from error
        old, self._file = self._file, new
        self._logger.handlers = [new] if new else []
        self._enabled.set(new is not None)
        if old:
            old.close()

    def write(
        self, query: str, window: QueryWindow, stats: Mapping[str, object], error: str, **origin: Origin
    ) -> None:
        """A line; `error` is "" for none. `origin` says who asked: `httpRequest` or `ruleGroup`."""
        params = {
            "end": _date(window.end_ms),
            "query": query,
            "start": _date(window.start_ms),
            "step": window.step_ms // 1000,
        }
        fields = {"params": params, **({"error": error} if error else {}), "stats": stats, **origin}
        self._logger.info("promql query logged", extra=fields)


class _File(logging.FileHandler):
    """Appends a line for each record; counts those that could not be written."""

    def __init__(self, name: str, failures: Counter) -> None:
        super().__init__(name, encoding="utf-8")
        self.setFormatter(JsonFormatter())
        self._failures = failures

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  the base class's
        self._failures.inc()


def _date(time_ms: int) -> str:
    """`2026-01-31T12:00:00.000Z`; of times that no calendar has, the milliseconds."""
    try:
        moment = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:
        return str(time_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
