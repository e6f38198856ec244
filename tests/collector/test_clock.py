"""The virtual clock, and that the system's sleeps."""

import asyncio

from collector.clock import SystemClock, VirtualClock


async def ticking(clock: VirtualClock, every_ms: int, name: str, log: list[tuple[str, int]]) -> None:
    while True:
        await clock.sleep_until(clock.now_ms() + every_ms)
        log.append((name, clock.now_ms()))


def test_sleepers_wake_in_order_of_their_times_and_see_exactly_those() -> None:
    async def story() -> list[tuple[str, int]]:
        clock, log = VirtualClock(1_000), list[tuple[str, int]]()
        tasks = [
            asyncio.create_task(ticking(clock, every, name, log)) for name, every in (("a", 30), ("b", 20))
        ]
        await clock.advance(60)
        for task in tasks:
            task.cancel()
        return log

    assert asyncio.run(story()) == [("b", 1020), ("a", 1030), ("b", 1040), ("a", 1060), ("b", 1060)]


def test_time_stands_where_it_was_advanced_to() -> None:
    async def story() -> int:
        clock = VirtualClock(5)
        await clock.advance(10)
        return clock.now_ms()

    assert asyncio.run(story()) == 15


def test_sleeper_just_beyond_the_end_stays_asleep() -> None:
    async def story() -> list[tuple[str, int]]:
        clock, log = VirtualClock(0), list[tuple[str, int]]()
        task = asyncio.create_task(ticking(clock, 11, "a", log))
        await clock.advance(10)
        task.cancel()
        return log

    assert asyncio.run(story()) == []


def test_advance_waits_for_what_a_woken_task_does_in_real_time() -> None:
    async def work(clock: VirtualClock, done: list[str]) -> None:
        await clock.sleep_until(5)
        await asyncio.sleep(0.01)
        done.append("done")

    async def story() -> list[str]:
        clock, done = VirtualClock(0), list[str]()
        task = asyncio.create_task(work(clock, done))
        await clock.advance(10)
        result = list(done)
        await task
        return result

    assert asyncio.run(story()) == ["done"]


def test_cancelled_sleeper_is_passed_over() -> None:
    async def story() -> int:
        clock = VirtualClock(0)
        task = asyncio.create_task(clock.sleep_until(5))
        await asyncio.sleep(0)
        task.cancel()
        await clock.advance(10)
        return clock.now_ms()

    assert asyncio.run(story()) == 10


def test_system_clock_does_not_return_early() -> None:
    async def story() -> bool:
        clock = SystemClock()
        until_ms = clock.now_ms() + 5
        await clock.sleep_until(until_ms)
        return clock.now_ms() >= until_ms

    assert asyncio.run(story())


def test_who_waits_for_the_same_time_is_told_the_same_present() -> None:
    async def story() -> list[int]:
        clock = SystemClock()
        until_ms = clock.now_ms() + 5
        sleepers = [asyncio.create_task(clock.sleep_until(until_ms)) for _ in range(3)]
        gone = asyncio.create_task(clock.sleep_until(until_ms))
        await asyncio.sleep(0)
        gone.cancel()
        return await asyncio.gather(*sleepers)

    told = asyncio.run(story())
    assert len(told) == 3
    assert len(set(told)) == 1
