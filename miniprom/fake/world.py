"""One tenant of the fake: a store, a clock and what works on them, begun afresh at each reset."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from os.path import basename
from typing import Any, Final

from collector.clock import VirtualClock
from collector.http_config import HttpClientConfig
from miniprom.api.services import Phase, Services
from miniprom.api.workers import Workers
from miniprom.config import Config, ConfigFileError, parse_config
from miniprom.fake.batch import Batch
from miniprom.fake.errors import FakeError
from miniprom.fake.faults import Faults
from miniprom.fake.fields import Fields
from miniprom.fake.filling import fill
from miniprom.fake.journal import Journal
from miniprom.fake.targets import FaultyFetcher, HandedTargets, TargetFaults
from miniprom.instance import Instance, rule_file_options
from miniprom.rules.files import parse_rule_file
from miniprom.rules.model import RuleGroup
from miniprom.settings import Settings
from tsdb.copying import copied
from tsdb.wal_store import LoggedStore

_CONFIG_NAME: Final = "prometheus.yml"
_MAX_SAVED: Final = 100


@dataclass(frozen=True)
class Setup:
    """What is scraped and evaluated."""

    config: Config = field(default_factory=Config)
    rule_groups: tuple[RuleGroup, ...] = ()


@dataclass(frozen=True)
class Saved:
    """A world at one moment; the store is a copy that nobody writes to."""

    store: LoggedStore
    now_ms: int
    setup: Setup
    faults: Faults


class World:
    """Belongs to the event loop. Hold `busy` while calling what is async."""

    def __init__(self, name: str, start_ms: int, settings: Settings, workers: Workers) -> None:
        self.name = name
        self.busy = asyncio.Lock()
        self.start_ms = start_ms
        self.journal = Journal()
        self._settings = settings
        self._workers = workers
        self._saved: dict[int, Saved] = {}
        self._last_saved = 0
        self._begin(Setup(), start_ms, Faults())

    @property
    def services(self) -> Services:
        """Of the instance at present: a reset replaces it."""
        return self._instance.services

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    async def start(self) -> None:
        """Begin to scrape and evaluate."""
        await self._instance.apply(self._setup.config, self._setup.rule_groups)
        self._instance.become(Phase.READY)

    async def stop(self) -> None:
        """Scrape and evaluate no more."""
        await self._instance.stop()

    async def reset(self, now_ms: int | None = None) -> None:
        """An empty store, nothing configured, the clock at its start or at a given time. Snapshots stay."""
        self.journal.clear()
        faults = Faults(self.faults.last_id)
        await self._replace(Setup(), self.start_ms if now_ms is None else now_ms, faults)

    def load(self, batch: Batch) -> dict[str, Any]:
        """Store a batch, and answer with its size and span. Raises `FakeError`, and stores nothing then."""
        fill(self.services.store, batch, self.now_ms)
        span_ms = batch.span_ms()
        return {
            "series": sum(1 for _ in batch.series()),
            "samples": batch.samples(),
            "start": None if span_ms is None else span_ms[0] / 1000,
            "end": None if span_ms is None else span_ms[1] / 1000,
        }

    async def advance(self, by_ms: int) -> None:
        """Let time pass: what falls due is done when this returns."""
        await self.clock.advance(by_ms)
        await self.services.alertmanagers.quiet()
        self.services.store.expire(self.now_ms)

    async def set_clock(self, time_ms: int, *, force: bool = False) -> None:
        """Move to a time; forwards as `advance`. Raises `FakeError` for going back where samples are."""
        if time_ms >= self.now_ms:
            await self.advance(time_ms - self.now_ms)
            return
        store = self.services.store
        if store.stats().series and not force:
            reason = "the clock can't be set back while there are samples"
            raise FakeError(f"{reason}: reset first, or say force, with which they stay")
        await self._replace(self._setup, time_ms, self.faults, store)

    async def configure(self, config: str | None, rules: Mapping[str, str]) -> None:
        """Work by the text of a configuration file, and those of rule files. Raises `FakeError`."""
        try:
            setup = self._read_setup(config, rules)
        except ConfigFileError as error:
            raise FakeError(str(error)) from error
        self._setup = setup
        await self._instance.apply(setup.config, setup.rule_groups)

    def scrape(self, fields: Fields) -> dict[str, Any]:
        """Scrape a target that lives in the test. Raises `FakeError`."""
        return self._targets.scrape(fields, self.services)

    def save(self) -> int:
        """Remember everything but the journal; the number to restore it by."""
        store = copied(self.services.store)
        self._last_saved += 1
        self._saved[self._last_saved] = Saved(store, self.now_ms, self._setup, self.faults.copied())
        if len(self._saved) > _MAX_SAVED:
            del self._saved[next(iter(self._saved))]
        return self._last_saved

    async def restore(self, number: int) -> None:
        """Go back to what was saved, as often as wanted. Raises `FakeError`."""
        saved = self._saved.get(number)
        if saved is None:
            there = ", ".join(map(str, self._saved)) or "none"
            raise FakeError(f"there is no snapshot {number}; there are {there}")
        faults = saved.faults.copied()
        faults.last_id = self.faults.last_id
        await self._replace(saved.setup, saved.now_ms, faults, copied(saved.store))

    def summary(self) -> dict[str, Any]:
        """What there is."""
        stats = self.services.store.stats()
        return {
            "now": self.now_ms / 1000,
            "series": stats.series,
            "samples": stats.samples_appended,
            "faults": len(self.faults),
            "requests": len(self.journal),
        }

    def _read_setup(self, text: str | None, rules: Mapping[str, str]) -> Setup:
        """Raises `ConfigFileError`, `FakeError`."""
        config = Config() if text is None else parse_config(text, _CONFIG_NAME, {})
        for pattern in config.rule_files:
            if not any(fnmatchcase(basename(name), basename(pattern)) for name in rules):
                given = ", ".join(rules) or "none"
                raise FakeError(
                    f"rule_files: nothing in rules is named {basename(pattern)}; given are {given}"
                )
        options = rule_file_options(self._settings, config)
        groups = [
            group for name, rule_text in rules.items() for group in parse_rule_file(rule_text, name, options)
        ]
        return Setup(config, tuple(groups))

    async def _replace(
        self, setup: Setup, now_ms: int, faults: Faults, store: LoggedStore | None = None
    ) -> None:
        await self._instance.stop()
        self._begin(setup, now_ms, faults, store)
        await self.start()

    def _begin(self, setup: Setup, now_ms: int, faults: Faults, store: LoggedStore | None = None) -> None:
        self._setup = setup
        self.clock = VirtualClock(now_ms)
        self.faults = faults
        self._target_faults = TargetFaults(faults)
        self._targets = HandedTargets(self._target_faults)
        self._instance = Instance(
            self._settings,
            setup.config,
            self.clock,
            reload=self._reload,
            quit_=lambda: None,
            store=store,
            workers=self._workers,
            new_fetcher=self._new_fetcher,
        )

    def _new_fetcher(self, config: HttpClientConfig) -> FaultyFetcher:
        return FaultyFetcher(config, self._target_faults, lambda: self.services)

    async def _reload(self) -> None:
        """There is no file: what was configured stays."""
