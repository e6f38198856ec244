"""Queries in threads: queue, timeout, clients that leave."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from collector.clock import SystemClock
from miniprom.api.workers import Workers
from miniprom.config import Config
from miniprom.server import Server
from miniprom.settings import settings_of
from query import Control, QueryCanceledError, QueryTimeoutError


def spin(control: Control) -> None:
    """A query that never ends by itself."""
    while True:
        control.check()
        time.sleep(0.001)


def test_query_that_takes_too_long_is_stopped() -> None:
    async def run() -> None:
        with pytest.raises(QueryTimeoutError):
            await Workers(1).run_query(spin, 5)

    asyncio.run(run())


def test_wait_in_the_queue_counts_towards_the_timeout() -> None:
    async def run() -> None:
        workers, release = Workers(1), threading.Event()
        first = asyncio.create_task(workers.run_query(lambda _: release.wait(10), 60_000))
        second = asyncio.create_task(workers.run_query(lambda _: None, 5))
        await asyncio.sleep(0.05)
        assert workers.running == 2
        release.set()
        await first
        with pytest.raises(QueryTimeoutError):
            await second
        assert workers.running == 0

    asyncio.run(run())


def test_cancelled_request_cancels_its_query() -> None:
    ended: list[Exception] = []

    def query(control: Control) -> None:
        try:
            spin(control)
        except QueryCanceledError as error:
            ended.append(error)

    async def run() -> None:
        workers = Workers(1)
        task = asyncio.create_task(workers.run_query(query, 60_000))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await workers.run(lambda: None)

    asyncio.run(run())
    assert len(ended) == 1


def test_close_tells_whether_a_query_goes_on() -> None:
    async def run() -> None:
        workers, begun, release = Workers(1), threading.Event(), threading.Event()

        def query(_: Control) -> None:
            begun.set()
            release.wait(10)

        task = asyncio.create_task(workers.run_query(query, 60_000))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        assert not workers.close()
        release.set()
        await task
        assert workers.close(patience_seconds=10)

    asyncio.run(run())


def test_client_that_hangs_up_cancels_its_query(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        server = Server(
            settings_of({"web.listen-address": "127.0.0.1:0", "storage.tsdb.path": ""}),
            Config(),
            SystemClock(),
        )
        await server.start()
        monkeypatch.setattr(server.services.engine, "instant", lambda *_, control: spin(control))
        host, port = server.urls[0].removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /api/v1/query?query=up HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: server.services.workers.running == 1)
        registry = server.services.metrics.registry
        assert registry.get_sample_value("prometheus_engine_queries") == 1
        writer.close()
        await until(lambda: server.services.workers.running == 0)
        await server.services.workers.run(lambda: None)
        await server.stop()

    asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


def threads_of(*calls: tuple[str | None, float]) -> list[bool]:
    """Whether work with a key and a timeout in milliseconds is done by the event loop, one by one."""

    async def run() -> list[bool]:
        workers, here = Workers(1), threading.get_ident()
        return [
            await workers.run_query(lambda _: threading.get_ident(), timeout_ms, key=key) == here
            for key, timeout_ms in calls
        ]

    return asyncio.run(run())


def test_light_work_is_done_in_the_event_loop_from_the_second_time_on() -> None:
    assert threads_of(("a", 1_000), ("a", 1_000), ("b", 1_000), ("a", 1_000)) == [False, True, False, True]


def test_work_without_a_key_is_always_done_in_a_thread() -> None:
    assert threads_of((None, 1_000), (None, 1_000)) == [False, False]


def test_light_work_that_may_take_little_time_is_done_in_a_thread() -> None:
    assert threads_of(("a", 1_000), ("a", 2)) == [False, False]
