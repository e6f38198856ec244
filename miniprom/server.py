"""The running server: wires store, scraper, engine and API together, and ends them in order."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import disable_created_metrics

from collector.clock import Clock, SystemClock
from collector.config import ScrapeConfig
from collector.manager import ScrapeManager
from collector.relabel import NameScheme, compile_rules
from collector.units import format_duration_ms, format_size_bytes
from miniprom.api.app import make_app
from miniprom.api.services import Phase, Services
from miniprom.api.workers import Workers
from miniprom.config import Config, ConfigFileError, load_config, warnings_of
from miniprom.logs import set_up_logging
from miniprom.metrics import Metrics
from miniprom.notify.alertmanagers import Alertmanagers
from miniprom.notify.delivery import Delivery
from miniprom.notify.sink import SinkConfig, load_sink_config
from miniprom.parser_options import parser_options
from miniprom.rules.evaluation import Environment, Evaluated
from miniprom.rules.files import RuleFileOptions, load_rule_files, matching_files
from miniprom.rules.manager import RuleManager, RuleOptions, RuleSettings
from miniprom.rules.model import RuleGroup
from miniprom.rules.restore import RestoreOptions
from miniprom.settings import Settings
from miniprom.storage import Storage
from miniprom.version import VERSION
from query import Control, EngineOptions
from tsdb import Store
from tsdb.budget import expected_series_bytes
from tsdb.wal_store import LoggedStore

if TYPE_CHECKING:
    from miniprom.flux import FluxRecorder
    from miniprom.monitors import Monitors

_log = logging.getLogger(__name__)

_MAX_EXPIRY_PERIOD_MS = 60_000
# How long requests may go on after the order to stop; then they are cancelled.
_PATIENCE_SECONDS = 2.0


class Server:
    """One server in the running event loop: `start`, then `stop`."""

    def __init__(self, settings: Settings, config: Config, clock: Clock) -> None:
        """Raises `ConfigFileError` for the files it reads, `BadFlagError` for a cluster that is not there."""
        self.settings = settings
        self.stopped = asyncio.Event()
        self._rule_groups = _rule_groups(settings, config)
        self._sink_config = _sink_config(settings)
        store = LoggedStore(
            retention_ms=settings.retention_ms, memory_limit_bytes=settings.memory_limit_bytes
        )
        metrics = Metrics(store, max_concurrency=settings.query_max_concurrency)
        alertmanagers = Alertmanagers(clock, metrics.registry, capacity=settings.alert_queue_capacity)
        self._delivery = Delivery(alertmanagers, clock)
        self.services = Services(
            settings=settings,
            clock=clock,
            store=store,
            storage=Storage(store, clock, metrics.registry, settings.wal_sync),
            engine_options=_engine_options(settings, config),
            workers=Workers(settings.query_max_concurrency),
            rules=RuleManager(
                store,
                clock,
                metrics.registry,
                run=self._run_rules,
                notifier=self._delivery,
                options=_rule_options(settings),
            ),
            alertmanagers=alertmanagers,
            metrics=metrics,
            config=config,
            scrape=ScrapeManager(store, clock, registry=metrics.registry, user_agent=f"miniprom/{VERSION}"),
            started_ms=clock.now_ms(),
            reload=self.reload,
            quit=self.stopped.set,
        )
        metrics.queries.set_function(lambda: self.services.workers.running)
        self._runner = web.AppRunner(
            make_app(self.services),
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=_PATIENCE_SECONDS,
            keepalive_timeout=settings.read_timeout_ms / 1000,
        )
        self._monitors = self._new_monitors()
        self._flux = self._new_flux_recorder()
        self._expiry: asyncio.Task[None] | None = None
        self._reloading = asyncio.Lock()

    @property
    def urls(self) -> list[str]:
        """Where it listens, once started."""
        return [f"http://{host}:{port}" for host, port, *_ in self._runner.addresses]

    @property
    def _external_url(self) -> str:
        return self.settings.external_url or _own_url(self.settings)

    async def start(self) -> None:
        """Listen and scrape. Raises `OSError` if an address is taken."""
        await self._runner.setup()
        for address in self.settings.listen:
            await web.TCPSite(self._runner, address.host or None, address.port).start()
        await self._apply(self.services.config, self._rule_groups)
        for watch in (self._monitors, self._flux):
            if watch:
                watch.start()
        self._expiry = asyncio.create_task(self._expire_forever())
        self.services.storage.start()
        self.services.phase = Phase.READY
        self.services.metrics.ready.set(1)

    async def stop(self) -> bool:
        """Stop scraping, let requests finish, close; whether every query ended, too."""
        self.services.phase = Phase.STOPPING
        self.services.metrics.ready.set(0)
        if self._expiry:
            self._expiry.cancel()
        for watch in (self._monitors, self._flux):
            if watch:
                await watch.stop()
        await self.services.rules.stop()
        await self._delivery.stop()
        await self.services.scrape.stop()
        await self._runner.cleanup()
        await self.services.storage.stop()
        return self.services.workers.close(_PATIENCE_SECONDS)

    async def reload(self) -> None:
        """Read the configuration file again. Raises `ConfigFileError`, and keeps the old one."""
        async with self._reloading:
            try:
                config = load_config(self.settings.config_file)
                groups = _rule_groups(self.settings, config)
                sink_config = _sink_config(self.settings)
            except ConfigFileError as error:
                self.services.config_reload_succeeded = False
                self.services.metrics.reload_successful.set(0)
                _log.error("Error reloading config", extra={"err": str(error)})
                raise
            self._sink_config = sink_config
            await self._apply(config, groups)

    async def _apply(self, config: Config, groups: Sequence[RuleGroup]) -> None:
        services = self.services
        for text in warnings_of(config):
            _log.warning(text)
        services.use_config(config, _engine_options(self.settings, config))
        _set_limits(services.store, self.settings, config)
        if self._flux:
            self._flux.interval_ms = config.global_.scrape_interval_ms
        await services.scrape.apply(self._jobs(config))
        await services.alertmanagers.apply(config.alerting.alertmanagers, _name_scheme(config))
        await self._delivery.use_sink(self._sink_config, self._external_url)
        await services.rules.apply(self._rule_settings(config, groups))
        _log.info("Completed loading of configuration file", extra={"file": self.settings.config_file})

    def _new_monitors(self) -> "Monitors | None":
        if not self.settings.kubernetes_monitors:
            return None
        from miniprom.monitors import Monitors  # noqa: PLC0415  brings regexes that few servers need

        services = self.services
        metrics = services.scrape.kubernetes_metrics
        return Monitors(self.settings, services.clock, metrics, self._apply_jobs)

    def _new_flux_recorder(self) -> "FluxRecorder | None":
        if not self.settings.flux_state:
            return None
        from miniprom.flux import FluxRecorder  # noqa: PLC0415  as above

        services = self.services
        metrics = services.scrape.kubernetes_metrics
        interval_ms = services.config.global_.scrape_interval_ms
        return FluxRecorder(self.settings, services.store, services.clock, metrics, interval_ms)

    async def _apply_jobs(self) -> None:
        async with self._reloading:
            await self.services.scrape.apply(self._jobs(self.services.config))

    def _jobs(self, config: Config) -> list[ScrapeConfig]:
        """Those of the file, and those of the cluster's monitors but where a name is taken."""
        of_monitors = self._monitors.jobs(config.global_) if self._monitors else []
        return list({job.job_name: job for job in (*of_monitors, *config.scrape_configs)}.values())

    def _rule_settings(self, config: Config, groups: Sequence[RuleGroup]) -> RuleSettings:
        global_ = config.global_
        environment = Environment(
            self.services.engine,
            global_.external_labels,
            self._external_url,
            global_.rule_query_offset_ms,
        )
        relabel_rules = compile_rules(config.alerting.alert_relabel_configs, _name_scheme(config))
        return RuleSettings(groups, environment, relabel_rules)

    async def _run_rules(self, work: Callable[[Control], list[Evaluated]]) -> list[Evaluated]:
        return await self.services.workers.run_query(work, self.settings.query_timeout_ms)

    async def _expire_forever(self) -> None:
        period_ms = max(1000, min(_MAX_EXPIRY_PERIOD_MS, self.settings.retention_ms // 10))
        clock = self.services.clock
        while True:
            await clock.sleep_until(clock.now_ms() + period_ms)
            self.services.store.expire(clock.now_ms())


def _set_limits(store: Store, settings: Settings, config: Config) -> None:
    """What the file says of retention goes before the flags; as upstream."""
    tsdb = config.storage.tsdb
    store.retention_ms = tsdb.retention.time_ms or settings.retention_ms
    store.out_of_order_window_ms = tsdb.out_of_order_time_window_ms
    budget = store.budget
    budget.samples_bytes = tsdb.retention.size_bytes or settings.retention_bytes
    series_bytes = expected_series_bytes(store.retention_ms / config.global_.scrape_interval_ms)
    _log.info(
        "Memory budget of the store",
        extra={
            "limit": "none" if budget.memory_bytes is None else format_size_bytes(budget.memory_bytes),
            "retention": format_duration_ms(store.retention_ms),
            "expected_bytes_per_series": round(series_bytes),
            "room_for_series": "any"
            if budget.memory_bytes is None
            else round(budget.memory_bytes / series_bytes),
        },
    )


def serve(settings: Settings) -> int:
    """Run the server until it is told to stop. Raises `ConfigFileError`."""
    set_up_logging(settings.log_level, settings.log_format)
    # Upstream has no _created series, and they would double the counters.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it untyped
    config = load_config(settings.config_file)
    for notice in settings.notices:
        _log.warning(notice)
    return asyncio.run(_serve(settings, config))


async def _serve(settings: Settings, config: Config) -> int:
    _log.info("Starting miniprom", extra={"version": VERSION, "python": sys.version.split()[0]})
    server = Server(settings, config, SystemClock())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_stop_signal, number, server.stopped.set)
    reloads: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGHUP, _on_reload_signal, server, reloads)
    if settings.storage_path:
        server.services.storage.open(settings.storage_path)
    try:
        await server.start()
    except OSError as error:
        _log.error("Unable to start web listener", extra={"err": str(error)})
        await server.stop()
        return 1
    _log.info("Server is ready to receive web requests.", extra={"address": " ".join(server.urls)})
    gc.collect()
    gc.freeze()  # what start-up made stays for good: let later collections pass over it
    await server.stopped.wait()
    ended = await server.stop()
    _log.info("See you next time!")
    if not ended:  # the interpreter would wait for the thread of a query that does not heed its Control
        logging.shutdown()
        os._exit(0)
    return 0


def _on_stop_signal(number: signal.Signals, stop: Callable[[], None]) -> None:
    _log.warning("Received an OS signal, exiting gracefully...", extra={"signal": number.name})
    stop()


def _on_reload_signal(server: Server, reloads: set[asyncio.Task[None]]) -> None:
    task = asyncio.create_task(_reload_on_signal(server))
    reloads.add(task)  # the loop itself holds tasks weakly
    task.add_done_callback(reloads.discard)


async def _reload_on_signal(server: Server) -> None:
    try:
        await server.reload()
    except ConfigFileError:
        _log.warning("The configuration from before stays in use")


def _engine_options(settings: Settings, config: Config) -> EngineOptions:
    return EngineOptions(
        lookback_ms=settings.lookback_ms,
        max_samples=settings.query_max_samples,
        default_subquery_step_ms=config.global_.evaluation_interval_ms,
        delayed_name_removal="promql-delayed-name-removal" in settings.features,
        parser=parser_options(settings.features),
    )


def _rule_groups(settings: Settings, config: Config) -> tuple[RuleGroup, ...]:
    """The groups of the rule files. Raises `RuleFileError`."""
    files, unmatched = matching_files(config.rule_files)
    for pattern in unmatched:
        _log.warning("No rule file matches", extra={"pattern": pattern})
    options = RuleFileOptions(
        interval_ms=config.global_.evaluation_interval_ms,
        parser=parser_options(settings.features),
        name_scheme=_name_scheme(config),
    )
    return load_rule_files(files, options)


def _sink_config(settings: Settings) -> SinkConfig | None:
    """What `--alerting.sink-config` names, if anything. Raises `ConfigFileError`."""
    return load_sink_config(settings.sink_config_file) if settings.sink_config_file else None


def _name_scheme(config: Config) -> NameScheme:
    return "legacy" if config.global_.metric_name_validation_scheme == "legacy" else "utf8"


def _rule_options(settings: Settings) -> RuleOptions:
    restore = RestoreOptions(settings.alert_outage_tolerance_ms, settings.alert_grace_period_ms)
    return RuleOptions(settings.alert_resend_delay_ms, restore)


def _own_url(settings: Settings) -> str:
    """Where clients find the server if nobody says so: upstream's computeExternalURL."""
    port = settings.listen[0].port if settings.listen else 9090
    return f"http://{socket.gethostname()}:{port}{settings.route_prefix}"
