"""The targets of a job change while it runs: what is kept, what ends, and when."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.registry import CollectorRegistry

import collector.pool
from collector.config import ScrapeConfig
from collector.discovery_config import FileDiscoveryConfig
from collector.failure_log import FailureLog
from collector.metrics import ScrapeMetrics
from collector.pool import ScrapePool
from collector.relabel import RelabelConfig
from collector.scrape import ScrapeLoop
from collector.target import Resolved, Target, TargetGroup, resolve
from tests.collector.scraping import STALE, FakeTargets, job, stored
from tests.collector.test_scrape import World, run


def group(address: str, **labels: str) -> TargetGroup:
    return TargetGroup.of_addresses([address], labels, address)


def pool_of(world: World, config: ScrapeConfig) -> ScrapePool:
    def new_loop(target: Target, job: ScrapeConfig, fetcher: object) -> ScrapeLoop:
        return ScrapeLoop(
            target,
            job,
            store=world.store,
            clock=world.clock,
            fetcher=world.targets,
            failure_log=FailureLog(),
            metrics=metrics,
            offset_seed=0,
            user_agent="test",
        )

    metrics = ScrapeMetrics(CollectorRegistry())
    return ScrapePool(config, FakeTargets({}), metrics, new_loop)


def test_group_that_is_the_same_object_is_not_relabelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    relabelled: list[str] = []

    def spying(config: ScrapeConfig, groups: tuple[TargetGroup, ...]) -> Resolved:
        relabelled.extend(group.source for group in groups)
        return resolve(config, groups)

    monkeypatch.setattr(collector.pool, "resolve", spying)

    async def story(world: World) -> None:
        pool = pool_of(world, job(addresses=()))
        a, b = group("a:1"), group("b:1")
        await pool.sync([a, b])
        await pool.sync([a, group("b:1", x="y")])
        assert relabelled == ["a:1", "b:1", "b:1"]
        assert len(pool.loops) == 2
        await pool.stop()

    run(story)


def test_target_that_stays_keeps_its_loop_and_shows_what_is_discovered_now() -> None:
    async def story(world: World) -> None:
        pool = pool_of(world, job(addresses=()))
        await pool.sync([group("a:1", __meta_ready="false")])
        [before] = pool.loops.values()
        assert await pool.sync([group("a:1", __meta_ready="true")]) == []
        [after] = pool.loops.values()
        assert after is before
        assert dict(after.target.discovered_labels)["__meta_ready"] == "true"
        await pool.stop()

    run(story)


def test_pool_that_was_stopped_starts_no_loop_again() -> None:
    async def story(world: World) -> None:
        pool = pool_of(world, job(addresses=()))
        await asyncio.gather(pool.stop(), pool.sync([group("a:1")]))
        assert pool.loops == {}

    run(story)


class Found:
    """A file that says what there is to scrape, and a manager that reads it."""

    def __init__(self, world: World, folder: Path, *rules: RelabelConfig) -> None:
        self.world, self.file = world, folder / "targets.json"
        self.rules = rules

    async def start(self, address: str) -> None:
        section = FileDiscoveryConfig(files=(str(self.file),))
        settings: Mapping[str, object] = {"file_sd_configs": (section,), "relabel_configs": self.rules}
        self.file.write_text(f'[{{"targets": ["{address}"]}}]')
        await self.world.manager.apply([job("job", (), **settings)])
        await self.until(address)
        await self.world.clock.advance(10_000)

    async def change(self, address: str) -> None:
        self.file.write_text(f'[{{"targets": ["{address}"]}}]')
        await self.until(address)

    async def until(self, address: str) -> None:
        while [target.url for target in self.world.manager.active()] != [f"http://{address}/metrics"]:
            await asyncio.sleep(0.001)
            await self.world.clock.advance(100)


def test_series_of_a_target_that_is_gone_are_stale_at_once(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.targets.bodies |= {"http://a:1/metrics": "m 1\n", "http://b:1/metrics": "m 2\n"}
        found = Found(world, tmp_path)
        await found.start("a:1")
        await found.change("b:1")
        [points] = stored(world.store, "m", instance="a:1").values()
        assert points[-1] == (world.clock.now_ms(), STALE)

    run(story)


def test_series_that_another_target_goes_on_with_are_not_interrupted(tmp_path: Path) -> None:
    same = RelabelConfig(target_label="instance", replacement="same")

    async def story(world: World) -> None:
        world.targets.bodies |= {"http://a:1/metrics": "m 1\n", "http://b:1/metrics": "m 2\n"}
        found = Found(world, tmp_path, same)
        await found.start("a:1")
        await found.change("b:1")
        await world.clock.advance(60_000)
        [points] = stored(world.store, "m").values()
        assert {value for _, value in points} == {1, 2}

    run(story)


def test_discovery_metrics_count_static_targets_and_go_with_the_job(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        (tmp_path / "t.json").write_text("[]")
        section = FileDiscoveryConfig(files=(str(tmp_path / "t.json"),))
        labels = {"name": "scrape", "config": "job"}
        name = "prometheus_sd_discovered_targets"
        await world.manager.apply([job("job", ("a:1", "b:1"), file_sd_configs=(section,))])
        assert world.registry.get_sample_value(name, labels) == 2
        await world.manager.apply([])
        assert world.registry.get_sample_value(name, labels) is None

    run(story)
