"""One Prometheus but for its listeners: store, scraper, rules, alerts and engine, wired together."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from collector.clock import Clock
from collector.config import ScrapeConfig
from collector.fetch import Fetcher, HttpFetcher
from collector.http_config import HttpClientConfig
from collector.manager import ScrapeManager
from collector.relabel import NameScheme, compile_rules
from collector.units import format_duration_ms, format_size_bytes
from miniprom.api.services import Phase, Services
from miniprom.api.workers import Workers
from miniprom.config import Config, warnings_of
from miniprom.metrics import Metrics
from miniprom.notify.alertmanagers import Alertmanagers
from miniprom.notify.delivery import Delivery
from miniprom.notify.sender import SendOptions
from miniprom.notify.sink import SinkConfig
from miniprom.parser_options import parser_options
from miniprom.rules.evaluation import Environment, Evaluated
from miniprom.rules.files import RuleFileOptions
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


class Instance:
    """`services`, and what keeps them at work in the running event loop: `apply`, `watch`, then `stop`."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        clock: Clock,
        *,
        reload: Callable[[], Awaitable[None]],
        quit_: Callable[[], None],
        store: LoggedStore | None = None,
        workers: Workers | None = None,
        new_fetcher: Callable[[HttpClientConfig], Fetcher] = HttpFetcher,
    ) -> None:
        """Raises `BadFlagError` for a cluster that is not there."""
        self.settings = settings
        if store is None:
            store = LoggedStore(
                retention_ms=settings.retention_ms, memory_limit_bytes=settings.memory_limit_bytes
            )
        metrics = Metrics(store, max_concurrency=settings.query_max_concurrency)
        registry = metrics.registry
        alertmanagers = Alertmanagers(clock, registry, options=_send_options(settings))
        self._delivery = Delivery(alertmanagers, clock)
        rules = RuleManager(
            store,
            clock,
            registry,
            run=self._run_rules,
            notifier=self._delivery,
            options=_rule_options(settings),
        )
        scrape = ScrapeManager(
            store, clock, registry, new_fetcher=new_fetcher, user_agent=f"miniprom/{VERSION}"
        )
        self.services = Services(
            settings=settings,
            clock=clock,
            store=store,
            storage=Storage(store, clock, registry, settings.wal_sync),
            engine_options=_engine_options(settings, config),
            workers=workers or Workers(settings.query_max_concurrency),
            rules=rules,
            alertmanagers=alertmanagers,
            metrics=metrics,
            config=config,
            scrape=scrape,
            started_ms=clock.now_ms(),
            reload=reload,
            quit=quit_,
        )
        metrics.queries.set_function(lambda: self.services.workers.running)
        self._monitors = self._new_monitors()
        self._flux = self._new_flux_recorder()
        self._applying = asyncio.Lock()
        self._file_groups: Sequence[RuleGroup] = ()

    async def apply(
        self, config: Config, groups: Sequence[RuleGroup], sink_config: SinkConfig | None = None
    ) -> None:
        """Work by this configuration from now on."""
        for text in warnings_of(config):
            _log.warning(text)
        async with self._applying:
            await self._apply(config, groups, sink_config)

    def watch(self) -> None:
        """Begin to watch what the cluster has."""
        for watch in (self._monitors, self._flux):
            if watch:
                watch.start()

    async def apply_jobs(self) -> None:
        """Scrape what the configuration and the cluster's monitors say now."""
        async with self._applying:
            await self.services.scrape.apply(self._jobs(self.services.config))

    async def apply_rules(self) -> None:
        """Evaluate what the rule files and the cluster's objects say now."""
        async with self._applying:
            await self._apply_rules(self.services.config)

    async def stop(self) -> None:
        """Watch, evaluate, deliver and scrape no more. Requests are still answered."""
        for watch in (self._monitors, self._flux):
            if watch:
                await watch.stop()
        await self.services.rules.stop()
        await self._delivery.stop()
        await self.services.scrape.stop()
        self.services.query_log.use("")

    def become(self, phase: Phase) -> None:
        """Enter a phase of life."""
        self.services.phase = phase
        self.services.metrics.ready.set(phase is Phase.READY)

    def rule_settings(self, config: Config, groups: Sequence[RuleGroup]) -> RuleSettings:
        """How the groups are to be evaluated."""
        global_ = config.global_
        environment = Environment(
            self.services.engine,
            global_.external_labels,
            self._external_url,
            global_.rule_query_offset_ms,
            self.services.query_log,
        )
        relabel_rules = compile_rules(config.alerting.alert_relabel_configs, name_scheme(config))
        return RuleSettings(groups, environment, relabel_rules, restores_all=self._monitors is not None)

    async def _apply(
        self, config: Config, groups: Sequence[RuleGroup], sink_config: SinkConfig | None
    ) -> None:
        services = self.services
        services.use_config(config, _engine_options(self.settings, config))
        _set_limits(services.store, self.settings, config)
        if self._flux:
            self._flux.interval_ms = config.global_.scrape_interval_ms
        await services.scrape.apply(self._jobs(config))
        await services.alertmanagers.apply(config.alerting.alertmanagers, name_scheme(config))
        await self._delivery.use_sink(sink_config, self._external_url)
        self._file_groups = groups
        await self._apply_rules(config)

    async def _apply_rules(self, config: Config) -> None:
        """Groups of files go before those of the cluster's objects that have the same names."""
        groups = self._file_groups
        if self._monitors:
            options = rule_file_options(self.settings, config)
            groups = (*await self._monitors.rule_groups(options), *groups)
        await self.services.rules.apply(self.rule_settings(config, groups))

    @property
    def _external_url(self) -> str:
        return self.settings.external_url or _own_url(self.settings)

    def _new_monitors(self) -> "Monitors | None":
        if not self.settings.kubernetes_monitors:
            return None
        from miniprom.monitors import Monitors  # noqa: PLC0415  brings regexes that few servers need

        services = self.services
        metrics = services.scrape.kubernetes_metrics
        return Monitors(
            self.settings,
            services.clock,
            metrics,
            services.metrics.registry,
            apply_jobs=self.apply_jobs,
            apply_rules=self.apply_rules,
        )

    def _new_flux_recorder(self) -> "FluxRecorder | None":
        if not self.settings.flux_state:
            return None
        from miniprom.flux import FluxRecorder  # noqa: PLC0415  as above

        services = self.services
        metrics = services.scrape.kubernetes_metrics
        interval_ms = services.config.global_.scrape_interval_ms
        return FluxRecorder(self.settings, services.store, services.clock, metrics, interval_ms)

    def _jobs(self, config: Config) -> list[ScrapeConfig]:
        """Those of the file, and those of the cluster's monitors but where a name is taken."""
        of_monitors = self._monitors.jobs(config.global_) if self._monitors else []
        return list({job.job_name: job for job in (*of_monitors, *config.scrape_configs)}.values())

    async def _run_rules(self, work: Callable[[Control], list[Evaluated]], key: Hashable) -> list[Evaluated]:
        return await self.services.workers.run_query(work, self.settings.query_timeout_ms, key=key)


def rule_file_options(settings: Settings, config: Config) -> RuleFileOptions:
    """How the rule files of a configuration are read."""
    return RuleFileOptions(
        interval_ms=config.global_.evaluation_interval_ms,
        parser=parser_options(settings.features),
        name_scheme=name_scheme(config),
    )


def name_scheme(config: Config) -> NameScheme:
    """Which names metrics and labels may have."""
    return "legacy" if config.global_.metric_name_validation_scheme == "legacy" else "utf8"


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


def _engine_options(settings: Settings, config: Config) -> EngineOptions:
    return EngineOptions(
        lookback_ms=settings.lookback_ms,
        max_samples=settings.query_max_samples,
        default_subquery_step_ms=config.global_.evaluation_interval_ms,
        delayed_name_removal="promql-delayed-name-removal" in settings.features,
        parser=parser_options(settings.features),
    )


def _rule_options(settings: Settings) -> RuleOptions:
    restore = RestoreOptions(settings.alert_outage_tolerance_ms, settings.alert_grace_period_ms)
    return RuleOptions(settings.alert_resend_delay_ms, restore)


def _send_options(settings: Settings) -> SendOptions:
    return SendOptions(settings.alert_queue_capacity, settings.alert_batch_size, settings.drains_alerts)


def _own_url(settings: Settings) -> str:
    """Where clients find the server if nobody says so: upstream's computeExternalURL."""
    port = settings.listen[0].port if settings.listen else 9090
    return f"http://{socket.gethostname()}:{port}{settings.route_prefix}"
