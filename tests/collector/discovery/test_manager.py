"""Who looks for targets, for whom, and how often jobs hear of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

import pytest
from prometheus_client.registry import CollectorRegistry

from collector.clock import VirtualClock
from collector.discovery.backoff import Backoff
from collector.discovery.manager import DiscoveryManager
from collector.discovery.metrics import ManagerMetrics
from collector.discovery.throttle import Throttle
from collector.discovery_config import DiscoveryConfig, HttpDiscoveryConfig
from collector.errors import DiscoveryError
from collector.target import TargetGroup

ONE = HttpDiscoveryConfig(url="http://one")
TWO = HttpDiscoveryConfig(url="http://two")
BROKEN = HttpDiscoveryConfig(url="http://broken")


class FakeDiscovery:
    """Finds what it is told to."""

    def __init__(self) -> None:
        self.found: tuple[TargetGroup, ...] = ()
        self.is_running = False
        self.changed: Callable[[], None] = lambda: None

    async def run(self, changed: Callable[[], None]) -> None:
        self.changed, self.is_running = changed, True
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.is_running = False

    def groups(self) -> Sequence[TargetGroup]:
        return self.found

    def find(self, *addresses: str) -> None:
        self.found = (TargetGroup.of_addresses(addresses, {}, "s"),)
        self.changed()


class World:
    """A manager, the discoveries that it made, and what it delivered when."""

    def __init__(self) -> None:
        self.clock = VirtualClock(1_000_000)
        self.registry = CollectorRegistry()
        self.made: list[FakeDiscovery] = []
        self.delivered: list[tuple[int, list[str]]] = []
        metrics = ManagerMetrics(self.registry)
        self.manager = DiscoveryManager(self.clock, metrics, self._create, self._deliver)

    def metric(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"prometheus_sd_{name}", {"name": "scrape"})

    def _create(self, config: DiscoveryConfig, _job_name: str) -> FakeDiscovery:
        if config == BROKEN:
            raise DiscoveryError("no cluster")
        self.made.append(FakeDiscovery())
        return self.made[-1]

    async def _deliver(self, names: Iterable[str]) -> None:
        self.delivered.append((self.clock.now_ms() - 1_000_000, list(names)))


def run(story: Callable[[World], Awaitable[None]]) -> World:
    async def whole() -> World:
        world = World()
        await story(world)
        await world.manager.stop()
        return world

    return asyncio.run(whole())


def test_jobs_with_equal_sections_share_a_discovery() -> None:
    async def story(world: World) -> None:
        await world.manager.apply({"a": [ONE], "b": [ONE, TWO]})
        await asyncio.sleep(0)
        one, two = world.made
        one.find("x:1")
        two.find("y:1")
        await world.clock.advance(100)
        assert [len(world.manager.groups(name)) for name in ("a", "b", "c")] == [1, 2, 0]

    assert run(story).delivered == [(100, ["a", "b"])]


def test_only_jobs_with_news_hear_of_it() -> None:
    async def story(world: World) -> None:
        await world.manager.apply({"a": [ONE], "b": [TWO]})
        await asyncio.sleep(0)
        world.made[1].find("y:1")
        await world.clock.advance(10_000)

    assert run(story).delivered == [(100, ["b"])]


def test_incessant_news_is_delivered_every_five_seconds() -> None:
    async def story(world: World) -> None:
        await world.manager.apply({"a": [ONE]})
        await asyncio.sleep(0)
        for _ in range(600):
            world.made[0].find("x:1")
            await world.clock.advance(50)

    world = run(story)
    times = [time_ms for time_ms, _ in world.delivered]
    assert times[:3] == [100, 300, 700]
    assert times[-1] - times[-2] == 5_000
    assert len(times) <= 11
    assert world.metric("received_updates_total") == 600
    assert world.metric("updates_total") == len(times)


def test_discovery_whose_section_stays_is_not_disturbed_by_a_reload() -> None:
    async def story(world: World) -> None:
        await world.manager.apply({"a": [ONE], "b": [TWO]})
        await asyncio.sleep(0)
        world.made[0].find("x:1")
        await world.manager.apply({"c": [ONE]})
        one, two = world.made
        assert (one.is_running, two.is_running) == (True, False)
        assert world.manager.groups("c") == list(one.found)
        assert world.manager.groups("a") == []

    run(story)


def test_discovery_that_cannot_be_made_is_counted_and_the_others_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(world: World) -> None:
        await world.manager.apply({"a": [BROKEN], "b": [ONE]})
        await asyncio.sleep(0)
        assert world.made[0].is_running
        assert world.metric("failed_configs") == 1
        await world.manager.apply({"b": [ONE]})
        assert world.metric("failed_configs") == 0

    with caplog.at_level(logging.ERROR):
        run(story)
    assert [record.__dict__["err"] for record in caplog.records] == ["no cluster"]


def test_throttle_is_quick_again_after_a_quiet_time() -> None:
    throttle = Throttle()
    for now_ms in range(0, 60_000, 1000):
        throttle.sent(now_ms)
    assert throttle.due_ms(59_000) == 64_000
    assert throttle.due_ms(64_000) == 69_000
    assert throttle.due_ms(64_001) == 64_101


def test_waits_after_failures_double_up_to_half_a_minute_with_a_spread() -> None:
    longest = Backoff(lambda: 1.0)
    assert [longest.next_ms() for _ in range(8)] == [800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]
    shortest = Backoff(lambda: 0.0)
    assert [shortest.next_ms() for _ in range(2)] == [400, 800]
    shortest.reset()
    assert shortest.next_ms() == 400
