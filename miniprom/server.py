"""The running server: an instance and its listeners, started and ended in order."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

from aiohttp import web
from prometheus_client import disable_created_metrics

from collector.clock import Clock, SystemClock
from miniprom.allocator import keep_freed_memory
from miniprom.api.app import make_app
from miniprom.api.connection import Connection
from miniprom.api.services import Phase
from miniprom.config import Config, ConfigFileError, load_config
from miniprom.instance import Instance, rule_file_options
from miniprom.logs import set_up_logging
from miniprom.notify.sink import SinkConfig, load_sink_config
from miniprom.rules.files import load_rule_files, matching_files
from miniprom.rules.model import RuleGroup
from miniprom.settings import Settings
from miniprom.version import VERSION

_log = logging.getLogger(__name__)

_MAX_EXPIRY_PERIOD_MS = 60_000
# How long requests may go on after the order to stop; then they are cancelled.
_PATIENCE_SECONDS = 2.0


class Server:
    """An instance that listens, in the running event loop: `start`, then `stop`."""

    def __init__(self, settings: Settings, config: Config, clock: Clock) -> None:
        """Raises `ConfigFileError` for the files it reads, `BadFlagError` for a cluster that is not there."""
        self.settings = settings
        self.stopped = asyncio.Event()
        self.rule_groups = _rule_groups(settings, config)
        self._sink_config = _sink_config(settings)
        self.instance = Instance(settings, config, clock, reload=self.reload, quit_=self.stopped.set)
        self.services = self.instance.services
        self._runner = web.AppRunner(
            make_app(self.services),
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=_PATIENCE_SECONDS,
        )
        self._listeners: list[asyncio.Server] = []
        self._expiry: asyncio.Task[None] | None = None
        self._reloading = asyncio.Lock()

    @property
    def urls(self) -> list[str]:
        """Where it listens, once started."""
        sockets = [each for listener in self._listeners for each in listener.sockets]
        return [f"http://{host}:{port}" for host, port, *_ in (each.getsockname() for each in sockets)]

    async def start(self) -> None:
        """Listen and scrape. Raises `OSError` if an address is taken."""
        await self._runner.setup()
        for address in self.settings.listen:
            listener = await asyncio.get_running_loop().create_server(
                self._new_connection, address.host or None, address.port, backlog=128
            )
            self._listeners.append(listener)
        await self._apply(self.services.config, self.rule_groups)
        self.instance.watch()
        self._expiry = asyncio.create_task(self._expire_forever())
        self.services.storage.start()
        self.instance.become(Phase.READY)

    async def stop(self) -> bool:
        """Stop scraping, let requests finish, close; whether every query ended, too."""
        self.instance.become(Phase.STOPPING)
        if self._expiry:
            self._expiry.cancel()
        await self.instance.stop()
        for listener in self._listeners:
            listener.close()
        await self._runner.cleanup()
        await self.services.storage.stop()
        return self.services.workers.close(_PATIENCE_SECONDS)

    async def reload(self) -> None:
        """Read the configuration file again. Raises `ConfigFileError`, and keeps the old one."""
        async with self._reloading:
            try:
                # In a thread: there may be a thousand rules, and scrapes must not wait until they are parsed.
                config, groups, self._sink_config = await asyncio.to_thread(_read_files, self.settings)
                await self._apply(config, groups)
            except ConfigFileError as error:
                self.services.config_reload_succeeded = False
                self.services.metrics.reload_successful.set(0)
                _log.error("Error reloading config", extra={"err": str(error)})
                raise

    def _new_connection(self) -> Connection:
        assert self._runner.server is not None
        keepalive_seconds = self.settings.read_timeout_ms / 1000
        return Connection(
            self._runner.server, self.services, access_log=None, keepalive_timeout=keepalive_seconds
        )

    async def _apply(self, config: Config, groups: Sequence[RuleGroup]) -> None:
        await self.instance.apply(config, groups, self._sink_config)
        _log.info("Completed loading of configuration file", extra={"file": self.settings.config_file})

    async def _expire_forever(self) -> None:
        period_ms = max(1000, min(_MAX_EXPIRY_PERIOD_MS, self.settings.retention_ms // 10))
        clock = self.services.clock
        while True:
            await clock.sleep_until(clock.now_ms() + period_ms)
            self.services.store.expire(clock.now_ms())


def serve(settings: Settings) -> int:
    """Run the server until it is told to stop. Raises `ConfigFileError`."""
    keep_freed_memory()
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
    gc.enable()
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


def _rule_groups(settings: Settings, config: Config) -> tuple[RuleGroup, ...]:
    """The groups of the rule files. Raises `RuleFileError`."""
    files, unmatched = matching_files(config.rule_files)
    for pattern in unmatched:
        _log.warning("No rule file matches", extra={"pattern": pattern})
    return load_rule_files(files, rule_file_options(settings, config))


def _read_files(settings: Settings) -> tuple[Config, Sequence[RuleGroup], SinkConfig | None]:
    """All that a reload reads. Raises `ConfigFileError`."""
    config = load_config(settings.config_file)
    return config, _rule_groups(settings, config), _sink_config(settings)


def _sink_config(settings: Settings) -> SinkConfig | None:
    """What `--alerting.sink-config` names, if anything. Raises `ConfigFileError`."""
    return load_sink_config(settings.sink_config_file) if settings.sink_config_file else None
