"""What the handlers work with, and how they reach it."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, TypeAlias

from aiohttp import web

from collector.clock import Clock
from collector.manager import ScrapeManager
from miniprom.api.workers import Workers
from miniprom.config import Config
from miniprom.metrics import Metrics
from miniprom.notify.alertmanagers import Alertmanagers
from miniprom.query_log import QueryLog
from miniprom.remote_write.series_memory import SeriesMemory
from miniprom.rules.manager import RuleManager
from miniprom.settings import Settings
from miniprom.storage import Storage
from query import Engine, EngineOptions
from tsdb import Snapshot
from tsdb.wal_store import LoggedStore


class Phase(Enum):
    """Where the server is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


@dataclass
class Services:
    """One running server. Written by the event loop only."""

    settings: Settings
    clock: Clock
    store: LoggedStore
    storage: Storage
    engine_options: EngineOptions
    workers: Workers
    metrics: Metrics
    config: Config
    scrape: ScrapeManager
    rules: RuleManager
    alertmanagers: Alertmanagers
    started_ms: int
    reload: Callable[[], Awaitable[None]]
    """Raises `ConfigError`; the old configuration then stays."""
    quit: Callable[[], None]
    phase: Phase = Phase.STARTING
    config_loaded_ms: int = 0
    config_reload_succeeded: bool = True
    engine: Engine = field(init=False)
    query_log: QueryLog = field(init=False)
    series_memory: SeriesMemory = field(init=False)

    def __post_init__(self) -> None:
        self.engine = _engine(self.engine_options)
        self.query_log = QueryLog(self.metrics.registry)
        self.series_memory = SeriesMemory(self.store)

    def use_config(self, config: Config, engine_options: EngineOptions) -> None:
        """Serve by a configuration that was read just now. Raises `ConfigFileError`, and changes nothing."""
        self.query_log.use(config.global_.query_log_file)
        self.config = config
        self.engine_options = engine_options
        self.engine = _engine(engine_options)
        self.config_loaded_ms = self.clock.now_ms()
        self.config_reload_succeeded = True
        self.metrics.reload_successful.set(1)
        self.metrics.reload_time.set(self.config_loaded_ms / 1000)

    def engine_with(self, lookback_ms: int | None, *, counts_samples: bool = False) -> Engine:
        """The engine, or one with another lookback, or with all statistics."""
        if lookback_ms is None and not counts_samples:
            return self.engine
        options = replace(self.engine_options, counts_samples=counts_samples)
        return _engine(options if lookback_ms is None else replace(options, lookback_ms=lookback_ms))

    def snapshot(self) -> Snapshot:
        """What a query that arrives now reads."""
        return self.store.snapshot(self.clock.now_ms())


FindServices: TypeAlias = Callable[[web.Request], Services]

FIND_SERVICES: Final = web.AppKey[FindServices]("find services")


def services_of(request: web.Request) -> Services:
    """The server that a request reached."""
    return request.app[FIND_SERVICES](request)


def _engine(options: EngineOptions) -> Engine:
    return Engine(options, seconds=time.perf_counter)
