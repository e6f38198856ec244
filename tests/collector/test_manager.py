"""Jobs come, change and go; targets that stay are not disturbed."""

import asyncio

import pytest
from aiohttp import web

from collector.clock import VirtualClock
from collector.manager import ScrapeManager
from collector.relabel import RelabelConfig
from collector.scrape import Health
from tests.collector.scraping import job, stored, values_of
from tests.collector.test_scrape import START_MS, URL, World, run
from tsdb import Store


def test_unchanged_job_goes_on_undisturbed_when_another_changes() -> None:
    async def story(world: World) -> None:
        world.targets.bodies["http://b:1/metrics"] = "m 1\n"
        await world.manager.apply([job("a"), job("b", ["b:1"])])
        await world.clock.advance(10_000)
        before = world.manager.active()[0]
        await world.manager.apply([job("a"), job("b", ["b:1"], honor_labels=True)])
        assert world.manager.active()[0] == before
        assert world.manager.active()[1].health is Health.UNKNOWN
        assert world.targets.closed == 1

    world = run(story)
    assert world.metric("scrape_pool_reloads_total") == 1
    assert world.metric("scrape_pools_total") == 3


def test_targets_of_all_pools_are_listed_by_pool_and_url() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job("b", ["y:1", "x:1"]), job("a")])
        shown = [(target.pool, target.url) for target in world.manager.active()]
        assert shown == [("a", URL), ("b", "http://x:1/metrics"), ("b", "http://y:1/metrics")]
        assert world.manager.pools() == ["a", "b"]

    run(story)


def test_dropped_targets_are_kept_up_to_the_limit_and_counted_beyond() -> None:
    drop = RelabelConfig(source_labels=("__address__",), regex="x.*", action="drop")

    async def story(world: World) -> None:
        settings = {"relabel_configs": (drop,), "keep_dropped_targets": 1}
        await world.manager.apply([job("a", ["x:1", "x:2", "host:80"], **settings)])
        [dropped] = world.manager.dropped()
        assert dict(dropped.discovered_labels)["__address__"] == "x:1"
        assert world.manager.dropped_counts() == {"a": 2}
        assert len(world.manager.active()) == 1

    run(story)


def test_more_targets_than_the_limit_are_not_scraped_but_down() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job("a", ["x:1", "x:2"], target_limit=1)])
        await world.clock.advance(10_000)
        assert world.targets.requests == []
        for target in world.manager.active():
            assert target.last_error == "target_limit exceeded (number of targets: 2, limit: 1)"

    world = run(story)
    assert [values_of(points) for points in stored(world.store, "up").values()] == [[0], [0]]
    assert world.metric("scrape_pool_exceeded_target_limit_total") == 1


def test_real_server_is_scraped_in_virtual_time() -> None:
    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="m 1\n")

    async def story() -> Store:
        app = web.Application()
        app.router.add_get("/metrics", hello)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        _, port = runner.addresses[0]
        clock, store = VirtualClock(START_MS), Store(retention_ms=None)
        manager = ScrapeManager(store, clock)
        await manager.apply([job(addresses=[f"127.0.0.1:{port}"])])
        await clock.advance(60_000)
        await manager.stop()
        await runner.cleanup()
        return store

    [m] = stored(asyncio.run(story()), "m").values()
    assert values_of(m) == [1] * 6


def test_metrics_of_a_job_go_with_it() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job("a", ["x:1", "x:2"])])
        assert world.metric("scrape_pool_targets", scrape_job="a") == 2
        assert world.metric("sync_length_seconds_count", scrape_job="a") == 1
        await world.manager.apply([])
        assert world.metric("scrape_pool_targets", scrape_job="a") is None
        assert world.metric("sync_length_seconds_count", scrape_job="a") is None

    run(story)


def test_target_that_cannot_be_made_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    rule = RelabelConfig(target_label="__address__", replacement="a/b")

    async def story(world: World) -> None:
        await world.manager.apply([job("a", relabel_configs=(rule,))])

    world = run(story)
    assert world.metric("sync_failed_total", scrape_job="a") == 1
    assert "Creating target failed" in caplog.text
