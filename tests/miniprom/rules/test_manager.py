"""Groups in time: when they are evaluated, and what a reload does. Time is virtual."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from collector.clock import VirtualClock
from miniprom.rules.evaluation import Environment, Evaluated
from miniprom.rules.manager import RuleManager, RuleOptions, RuleSettings, phase_ms
from miniprom.rules.model import RuleGroup
from miniprom.rules.notifier import Alert
from miniprom.rules.restore import RestoreOptions
from query import Control, Engine, QueryTimeoutError, RawMatrix
from query.kernels.xxhash import xxh64
from tests.miniprom.rules.evaluating import group_of, rule_groups
from tsdb import Store, labels_from

MINUTE_MS = 60_000
GROUP = group_of("record: now, expr: time()", options="interval: 1m,")
PHASE_MS = phase_ms(GROUP)


class Told:
    """A notifier that remembers."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def send(self, alerts: Sequence[Alert]) -> None:
        self.alerts += alerts


class World:
    """A manager, its clock and its store."""

    def __init__(self) -> None:
        self.clock = VirtualClock(0)
        self.store = Store(retention_ms=None)
        self.registry = CollectorRegistry()
        self.told = Told()
        self.run: Callable[[Callable[[Control], list[Evaluated]]], Awaitable[list[Evaluated]]] = _in_thread
        self.manager = self.restarted()

    def restarted(self, restore: RestoreOptions | None = None) -> RuleManager:
        self.registry = CollectorRegistry()
        self.manager = RuleManager(
            self.store,
            self.clock,
            self.registry,
            run=self._run,
            notifier=self.told,
            options=RuleOptions(restore=restore or RestoreOptions()),
        )
        return self.manager

    async def _run(self, work: Callable[[Control], list[Evaluated]], _key: Hashable) -> list[Evaluated]:
        return await self.run(work)

    async def apply(self, *groups: RuleGroup, restores_all: bool = False) -> None:
        environment = Environment(Engine(), {"cluster": "c"}, "http://prom")
        await self.manager.apply(RuleSettings(groups, environment, restores_all=restores_all))

    def times_ms(self, name: str) -> list[int]:
        """When a series was written."""
        now_ms = self.clock.now_ms()
        value = Engine().instant(self.store.snapshot(now_ms), f"{name}[1d]", now_ms).value
        assert isinstance(value, RawMatrix)
        return [time_ms for series in value.series for time_ms in series.timestamps_ms.tolist()]

    def value(self, text: str) -> list[float]:
        now_ms = self.clock.now_ms()
        value = Engine().instant(self.store.snapshot(now_ms), text, now_ms).value
        values: list[float] = getattr(value, "values").tolist()  # noqa: B009  of any vector
        return values

    def metric(self, name: str, group: RuleGroup = GROUP) -> float | None:
        return self.registry.get_sample_value(f"prometheus_rule_{name}", {"rule_group": group.key})

    def add(self, name: str, value: float) -> None:
        ids = self.store.series_ids([labels_from({"__name__": name})])
        self.store.append(ids, self.clock.now_ms(), np.array([value]))


async def _in_thread(work: Callable[[Control], list[Evaluated]]) -> list[Evaluated]:
    return await asyncio.get_running_loop().run_in_executor(None, work, Control())


def run(story: Callable[[World], Awaitable[None]]) -> None:
    async def told() -> None:
        world = World()
        try:
            await story(world)
        finally:
            await world.manager.stop()

    asyncio.run(told())


def test_group_is_evaluated_at_its_phase_of_every_interval() -> None:
    async def story(world: World) -> None:
        await world.apply(GROUP)
        await world.clock.advance(3 * MINUTE_MS)
        times_ms = world.times_ms("now")
        assert times_ms == [PHASE_MS + count * MINUTE_MS for count in range(3)]
        assert world.metric("group_iterations_total") == 3
        assert world.metric("group_iterations_missed_total") == 0

    run(story)


def test_groups_are_spread_over_the_interval() -> None:
    phases = {phase_ms(replace(GROUP, name=f"group {number}")) // 6000 for number in range(100)}
    assert phases == set(range(10))


def test_phase_is_that_of_prometheus() -> None:
    packed = b"\x04file\x09rules.yml\x04name\x01g"  # each string behind its length
    assert phase_ms(GROUP) == xxh64(packed) % 60_000_000_000 // 1_000_000


def test_iterations_that_a_slow_evaluation_misses_are_counted_and_skipped() -> None:
    async def story(world: World) -> None:
        async def slow(work: Callable[[Control], list[Evaluated]]) -> list[Evaluated]:
            if world.clock.now_ms() < MINUTE_MS:
                world.clock._now_ms += 3 * MINUTE_MS + 1
            return work(Control())

        world.run = slow
        await world.apply(GROUP)
        await world.clock.advance(6 * MINUTE_MS)
        minutes = [(time_ms - PHASE_MS) // MINUTE_MS for time_ms in world.times_ms("now")]
        assert minutes == [0, 3, 4, 5]
        assert world.metric("group_iterations_missed_total") == 2
        assert world.metric("group_iterations_total") == 6

    run(story)


def test_evaluation_that_gets_no_thread_in_time_is_a_failure_of_its_rules() -> None:
    async def story(world: World) -> None:
        async def never(work: Callable[[Control], list[Evaluated]]) -> list[Evaluated]:
            raise QueryTimeoutError

        world.run = never
        await world.apply(GROUP)
        await world.clock.advance(2 * MINUTE_MS)
        assert world.metric("evaluation_failures_total") == 2
        assert world.manager.groups()[0].rules[0].last_error == str(QueryTimeoutError())

    run(story)


def test_reload_leaves_an_unchanged_group_alone() -> None:
    async def story(world: World) -> None:
        await world.apply(GROUP)
        await world.clock.advance(MINUTE_MS)
        before = world.manager.groups()
        await world.apply(GROUP, replace(GROUP, name="other"))
        assert world.manager.groups()[0] is before[0]
        await world.clock.advance(MINUTE_MS)
        assert len(world.times_ms("now")) > 2

    run(story)


def test_changed_group_goes_on_with_its_alerts() -> None:
    async def story(world: World) -> None:
        await world.apply(group_of("alert: A, expr: vector(1), for: 90s"))
        await world.clock.advance(MINUTE_MS)
        assert world.value("ALERTS") == []  # a first evaluation after a start: not restored yet
        await world.apply(group_of("alert: A, expr: vector(2), for: 90s"))
        await world.clock.advance(2 * MINUTE_MS)
        (alert,) = world.told.alerts
        assert dict(alert.labels) == {"alertname": "A", "cluster": "c"}

    run(story)


def test_series_of_a_removed_group_end_two_intervals_later() -> None:
    async def story(world: World) -> None:
        await world.apply(GROUP)
        await world.clock.advance(MINUTE_MS)
        await world.apply()
        await world.clock.advance(2 * MINUTE_MS - 1)
        assert world.value("now") != []
        await world.clock.advance(1)
        assert world.value("now") == []
        assert world.metric("group_rules") is None

    run(story)


def test_series_that_a_renamed_group_goes_on_writing_does_not_end() -> None:
    async def story(world: World) -> None:
        await world.apply(GROUP)
        await world.clock.advance(MINUTE_MS)
        await world.apply(replace(GROUP, name="renamed"))
        await world.clock.advance(5 * MINUTE_MS)
        assert world.value("now") != []
        assert len(world.times_ms("now")) == 6

    run(story)


def test_pending_alert_survives_a_restart() -> None:
    alert = group_of("alert: A, expr: x > 0, for: 15m", options="interval: 1m,")
    restore = RestoreOptions(grace_period_ms=5 * MINUTE_MS)

    async def story(world: World) -> None:
        world.add("x", 1.0)
        await world.apply(alert)
        for _ in range(8):
            await world.clock.advance(MINUTE_MS)
            world.add("x", 1.0)
        await world.manager.stop()
        await world.clock.advance(2 * MINUTE_MS)
        world.add("x", 1.0)
        world.restarted(restore)
        await world.apply(alert)
        for _ in range(8):
            await world.clock.advance(MINUTE_MS)
            world.add("x", 1.0)
            assert world.told.alerts == []
        await world.clock.advance(2 * MINUTE_MS)
        assert [dict(each.labels)["alertname"] for each in world.told.alerts[:1]] == ["A"]

    run(story)


@pytest.mark.parametrize("restores_all", [True, False])
def test_alert_of_a_group_that_comes_later_is_restored_if_that_is_wanted(restores_all: bool) -> None:
    alert = group_of("alert: A, expr: vector(1), for: 15m", options="interval: 1m,")

    async def story(world: World) -> None:
        await world.apply(alert)
        await world.clock.advance(8 * MINUTE_MS)
        await world.manager.stop()
        world.restarted(RestoreOptions(grace_period_ms=5 * MINUTE_MS))
        await world.apply()
        await world.clock.advance(MINUTE_MS)
        await world.apply(alert, restores_all=restores_all)
        await world.clock.advance(10 * MINUTE_MS)
        assert bool(world.told.alerts) == restores_all

    run(story)


def test_alert_is_valid_for_four_resend_delays_or_intervals() -> None:
    async def story(world: World) -> None:
        slow = group_of("alert: A, expr: vector(1)", options="interval: 5m,")
        await world.apply(slow)
        await world.clock.advance(5 * MINUTE_MS)
        (alert,) = world.told.alerts
        assert alert.ends_at_ms - alert.starts_at_ms == 20 * MINUTE_MS
        assert alert.generator_url == "http://prom/graph?g0.expr=vector%281%29&g0.tab=1"

    run(story)


def test_metrics_tell_of_each_group() -> None:
    async def story(world: World) -> None:
        await world.apply(GROUP)
        assert world.metric("group_rules") == 1
        assert world.metric("group_interval_seconds") == 60
        assert world.metric("evaluations_total") == 0
        await world.clock.advance(MINUTE_MS)
        assert world.metric("evaluations_total") == 1
        assert world.metric("group_last_evaluation_samples") == 1
        assert world.metric("group_last_evaluation_timestamp_seconds") == PHASE_MS / 1000

    run(story)


def test_expansions_of_templates_are_counted() -> None:
    group = group_of(
        "alert: A, expr: vector(1), labels: {x: y}, annotations: {a: '{{ 1 }}', b: '{{ first 1 }}'}"
    )

    async def story(world: World) -> None:
        await world.apply(group)
        await world.clock.advance(MINUTE_MS)
        names = ("expansions", "expansion_failures")
        counts = [world.registry.get_sample_value(f"prometheus_template_text_{name}_total") for name in names]
        assert counts == [3, 1]

    run(story)


@pytest.mark.parametrize("text", ["groups: [{name: empty}]", "groups: [{name: empty, rules: []}]"])
def test_group_without_rules_is_evaluated_to_nothing(text: str) -> None:
    async def story(world: World) -> None:
        (group,) = rule_groups(text)
        await world.apply(group)
        await world.clock.advance(2 * MINUTE_MS)
        assert world.metric("group_iterations_total", group) == 2

    run(story)
