"""One tenant of the fake: a store, a clock and what works on them, begun afresh at each reset."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from collector.clock import VirtualClock
from miniprom.api.services import Phase, Services
from miniprom.api.workers import Workers
from miniprom.config import Config
from miniprom.fake.batch import Batch
from miniprom.fake.errors import FakeError
from miniprom.fake.faults import Faults
from miniprom.fake.filling import fill
from miniprom.fake.journal import Journal
from miniprom.instance import Instance
from miniprom.rules.model import RuleGroup
from miniprom.settings import Settings


@dataclass(frozen=True)
class Setup:
    """What is scraped and evaluated."""

    config: Config = field(default_factory=Config)
    rule_groups: tuple[RuleGroup, ...] = ()


class World:
    """Belongs to the event loop. Hold `busy` while calling what is async."""

    def __init__(self, name: str, start_ms: int, settings: Settings, workers: Workers) -> None:
        self.name = name
        self.busy = asyncio.Lock()
        self.start_ms = start_ms
        self._settings = settings
        self._workers = workers
        self._setup = Setup()
        self.faults = Faults()
        self.journal = Journal()
        self.clock = VirtualClock(start_ms)
        self._instance = self._new_instance()

    @property
    def services(self) -> Services:
        """Of the instance at present: a reset replaces it."""
        return self._instance.services

    async def start(self) -> None:
        """Begin to scrape and evaluate."""
        await self._instance.apply(self._setup.config, self._setup.rule_groups)
        self._instance.become(Phase.READY)

    async def stop(self) -> None:
        """Scrape and evaluate no more."""
        await self._instance.stop()

    async def reset(self, now_ms: int | None = None) -> None:
        """An empty store, nothing configured, the clock at its start or at a given time."""
        self.faults = Faults()
        self.journal.clear()
        await self._replace(Setup(), self.start_ms if now_ms is None else now_ms)

    def load(self, batch: Batch) -> dict[str, Any]:
        """Store a batch, and answer with its size and span. Raises `FakeError`, and stores nothing then."""
        fill(self.services.store, batch, self.clock.now_ms())
        span_ms = batch.span_ms()
        start, end = (None, None) if span_ms is None else (span_ms[0] / 1000, span_ms[1] / 1000)
        return {
            "series": sum(1 for _ in batch.series()),
            "samples": batch.samples(),
            "start": start,
            "end": end,
        }

    async def advance(self, by_ms: int) -> None:
        """Let time pass: what falls due is done when this returns."""
        await self.clock.advance(by_ms)
        self.services.store.expire(self.clock.now_ms())

    async def set_clock(self, time_ms: int, *, force: bool = False) -> None:
        """Move to a time; forwards as `advance`. Raises `FakeError` for going back where samples are."""
        now_ms = self.clock.now_ms()
        if time_ms >= now_ms:
            await self.advance(time_ms - now_ms)
        elif force or self.services.store.stats().series == 0:
            raise FakeError("not yet")
        else:
            raise FakeError("the clock can't be set back while there are samples, but for force")

    def summary(self) -> dict[str, Any]:
        """What there is."""
        stats = self.services.store.stats()
        return {
            "now": self.clock.now_ms() / 1000,
            "series": stats.series,
            "samples": stats.samples_appended,
            "faults": len(self.faults),
            "requests": len(self.journal),
        }

    async def _replace(self, setup: Setup, now_ms: int) -> None:
        old = self._instance
        self._setup = setup
        self.clock = VirtualClock(now_ms)
        self._instance = self._new_instance()
        await self.start()
        await old.stop()

    def _new_instance(self) -> Instance:
        return Instance(
            self._settings,
            self._setup.config,
            self.clock,
            reload=self._reload,
            quit_=lambda: None,
            workers=self._workers,
        )

    async def _reload(self) -> None:
        """There is no file: what was configured stays."""
