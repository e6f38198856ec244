"""A target's loop, in virtual time and without a network."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client.registry import CollectorRegistry

from collector.clock import VirtualClock
from collector.config import GlobalConfig, ScrapeConfig
from collector.errors import BodySizeError, ScrapeError
from collector.manager import ScrapeManager
from collector.schedule import first_due_ms, phase_ms
from collector.scrape import Health, accept_header, request_headers
from tests.collector.scraping import STALE, FakeTargets, job, stored, targets_of, values_of
from tsdb import Store

URL = "http://host:80/metrics"
START_MS = 1_000_000


class World:
    """A manager with its store, targets, time and metrics."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START_MS)
        self.store = Store(retention_ms=None)
        self.targets = FakeTargets({URL: "m 1\n"}, self.clock)
        self.registry = CollectorRegistry()
        self.manager = ScrapeManager(self.store, self.clock, self.registry, new_fetcher=self.targets)

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"prometheus_target_{name}", labels)

    def times(self, name: str = "up") -> list[int]:
        [points] = stored(self.store, name).values()
        return [time_ms for time_ms, _ in points]


def run(story: Callable[[World], Awaitable[None]]) -> World:
    async def whole() -> World:
        world = World()
        await story(world)
        await world.manager.stop()
        return world

    return asyncio.run(whole())


def test_target_is_scraped_once_an_interval_at_its_phase() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job()])
        await world.clock.advance(30_000)

    first = first_due_ms(START_MS, 10_000, phase_ms(targets_of(job())[0].identity, 0, 10_000))
    assert run(story).times() == [first, first + 10_000, first + 20_000]


def test_tick_missed_by_a_slow_target_is_served_when_it_answers() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job()])
        await world.clock.advance(10_000)
        world.targets.delays_ms[URL] = 25_000
        await world.clock.advance(10_000)
        world.targets.delays_ms[URL] = 0
        await world.clock.advance(40_000)

    times = run(story).times()
    late = times[1] + 25_000
    assert times == [times[0], times[0] + 10_000, late, times[0] + 40_000, times[0] + 50_000]


def test_failed_scrape_is_down_and_ends_the_series_until_the_next_good_one() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job()])
        await world.clock.advance(10_000)
        world.targets.bodies[URL] = ScrapeError("server returned HTTP status 503 Service Unavailable")
        await world.clock.advance(10_000)
        [target] = world.manager.active()
        assert target.health is Health.DOWN
        assert target.last_error == "server returned HTTP status 503 Service Unavailable"
        world.targets.bodies[URL] = "m 3\n"
        await world.clock.advance(10_000)
        [target] = world.manager.active()
        assert (target.health, target.last_error) == (Health.UP, "")

    world = run(story)
    [up], [m] = stored(world.store, "up").values(), stored(world.store, "m").values()
    assert values_of(up) == [1, 0, 1]
    assert values_of(m) == [1, STALE, 3]


def test_fault_of_the_store_costs_one_scrape_and_not_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("bug")

    async def story(world: World) -> None:
        await world.manager.apply([job()])
        with monkeypatch.context() as patched:
            patched.setattr(world.store, "append", broken)
            await world.clock.advance(10_000)
        await world.clock.advance(10_000)

    assert len(run(story).times()) == 1


def test_unexpected_error_fails_one_scrape_and_the_loop_goes_on() -> None:
    async def story(world: World) -> None:
        world.targets.bodies[URL] = RuntimeError("bug")
        await world.manager.apply([job()])
        await world.clock.advance(10_000)
        assert world.manager.active()[0].last_error == "RuntimeError: bug"
        world.targets.bodies[URL] = "m 1\n"
        await world.clock.advance(10_000)
        assert world.manager.active()[0].health is Health.UP

    run(story)


def test_target_is_unknown_before_its_first_scrape() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job()])
        [target] = world.manager.active()
        assert (target.health, target.last_scrape_ms) == (Health.UNKNOWN, 0)

    run(story)


def test_series_of_a_removed_target_end_at_its_next_tick_two_intervals_later() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job()])
        await world.clock.advance(10_000)
        last = world.times()[-1]
        await world.manager.apply([])
        await world.clock.advance(last + 20_999 - world.clock.now_ms())
        assert world.times() == [last]
        await world.clock.advance(1)
        assert world.times() == [last, last + 10_000]

    [up] = stored(run(story).store, "up").values()
    assert values_of(up) == [1, STALE]


def test_target_that_comes_back_in_time_is_not_interrupted() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job()])
        await world.clock.advance(10_000)
        await world.manager.apply([])
        await world.clock.advance(5_000)
        await world.manager.apply([job()])
        await world.clock.advance(45_000)

    [m] = stored(run(story).store, "m").values()
    assert set(values_of(m)) == {1}


def test_no_stale_markers_are_written_when_the_program_stops() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job()])
        await world.clock.advance(10_000)
        await world.manager.stop()
        await world.clock.advance(100_000)

    [up] = stored(run(story).store, "up").values()
    assert values_of(up) == [1]


def test_failures_and_refused_samples_are_counted() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job(sample_limit=2)])
        for body in ("m 1\nn 1\no 1\n", BodySizeError(), "m 1\nm 2\n", "m 1 2000000000\n"):
            world.targets.bodies[URL] = body
            await world.clock.advance(10_000)
        await world.manager.apply([job(label_limit=1)])
        await world.clock.advance(10_000)

    world = run(story)
    assert world.metric("scrapes_exceeded_sample_limit_total") == 1
    assert world.metric("scrapes_exceeded_body_size_limit_total") == 1
    assert world.metric("scrapes_sample_duplicate_timestamp_total") == 1
    assert world.metric("scrapes_sample_out_of_bounds_total") == 1
    assert world.metric("scrape_pool_exceeded_label_limits_total") == 1
    assert world.metric("scrapes_sample_out_of_order_total") == 0


def test_actual_intervals_are_summarised() -> None:
    async def story(world: World) -> None:
        await world.manager.apply([job()])
        await world.clock.advance(40_000)

    world = run(story)
    assert world.metric("interval_length_seconds", interval="10s", quantile="0.99") == 10
    assert world.metric("interval_length_seconds_count", interval="10s") == 3
    assert world.metric("interval_length_seconds_sum", interval="10s") == 30


def test_accept_header_weighs_the_formats_as_upstream_does() -> None:
    defaults = ScrapeConfig(job_name="j").with_defaults(GlobalConfig())
    assert request_headers(defaults, 10_000, "agent") == {
        "Accept": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;q=0.5,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "Accept-Encoding": "gzip",
        "User-Agent": "agent",
        "X-Prometheus-Scrape-Timeout-Seconds": "10",
    }


def test_protobuf_is_asked_for_with_its_message_and_encoding() -> None:
    accept = accept_header(("PrometheusProto", "PrometheusText0.0.4"), "allow-utf-8")
    assert accept == (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.4"
    )


def test_identity_is_asked_for_without_compression_and_fractions_of_seconds_are_kept() -> None:
    headers = request_headers(job(enable_compression=False), 1_500, "agent")
    assert headers["Accept-Encoding"] == "identity"
    assert headers["X-Prometheus-Scrape-Timeout-Seconds"] == "1.5"
