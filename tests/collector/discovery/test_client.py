"""The client against an API server over TLS: it lists, watches, and comes back from everything."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from prometheus_client.registry import CollectorRegistry

from collector.clock import SystemClock
from collector.discovery.kubernetes import client as client_module
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery.kubernetes.client import ApiClient
from collector.discovery.kubernetes.objects import Pod
from collector.discovery.kubernetes.reflector import Change, Event, Reflector
from collector.discovery.kubernetes.resources import PODS
from collector.discovery.metrics import KubernetesMetrics
from tests.kubernetes_api.server import Json, KubernetesApi

PODS_PATH = "api/v1/pods"


def pod(name: str, ip: str = "10.0.0.1") -> Json:
    return {"metadata": {"namespace": "apps", "name": name}, "status": {"podIP": ip}}


class World:
    """An API server and a client that follows its pods."""

    def __init__(self, folder: Path) -> None:
        self.api = KubernetesApi(folder)
        self.pods = Reflector(PODS)
        self.changes: list[tuple[str, str]] = []
        self.registry = CollectorRegistry()

    def told(self, changes: list[Change[Pod]]) -> None:
        self.changes += [(change.event.value, change.object.metadata.name) for change in changes]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.01)

    async def watching(self) -> None:
        await self.until(lambda: self.api.watchers)

    def failures(self) -> float:
        return self.registry.get_sample_value("prometheus_sd_kubernetes_failures_total") or 0.0


Story = Callable[[World], Awaitable[None]]
Run = Callable[[Story], World]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[World], Awaitable[None]]], World]:
    monkeypatch.setattr("collector.discovery.backoff.FIRST_MS", 20)
    monkeypatch.setattr(client_module, "_SHORTEST_WATCH_MS", 0)

    def run(story: Story) -> World:
        async def whole() -> World:
            world = World(tmp_path)
            async with world.api.running():
                access = Surroundings(world.api.environ, str(tmp_path)).access()
                client = ApiClient(access, SystemClock(), KubernetesMetrics(world.registry))
                following = asyncio.create_task(client.follow(world.pods, world.told))
                try:
                    await story(world)
                finally:
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
                    await client.close()
            return world

        return asyncio.run(whole())

    return run


def test_changes_arrive_as_they_happen(run: Run) -> None:
    async def story(world: World) -> None:
        await world.watching()
        world.api.put(PODS_PATH, pod("a"))
        world.api.put(PODS_PATH, pod("a", "10.0.0.2"))
        world.api.delete(PODS_PATH, "a", "apps")
        await world.until(lambda: len(world.changes) == 3)

    world = run(story)
    assert world.changes == [("add", "a"), ("update", "a"), ("delete", "a")]
    assert world.pods.objects == {}


def test_long_list_comes_in_pages(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.discovery.kubernetes.reflector.PAGE_SIZE", 2)

    async def story(world: World) -> None:
        for name in "abcde":
            world.api.put(PODS_PATH, pod(name))
        await world.watching()

    world = run(story)
    assert sorted(world.pods.objects) == [f"apps/{name}" for name in "abcde"]
    assert sum("limit=2" in request for request in world.api.requests) == 3


def test_watch_that_ends_is_resumed_where_it_ended(run: Run) -> None:
    async def story(world: World) -> None:
        world.api.put(PODS_PATH, pod("a"))
        await world.watching()
        world.api.hang_up()
        world.api.put(PODS_PATH, pod("b"))
        await world.until(lambda: len(world.changes) == 2)

    world = run(story)
    assert sum("limit=" in request for request in world.api.requests) == 1
    name, labels = "prometheus_sd_kubernetes_http_request", {"endpoint": "/api/v1/pods"}
    answered = world.registry.get_sample_value(f"{name}_total", {"status_code": "200"})
    assert answered == world.registry.get_sample_value(f"{name}_duration_seconds_count", labels) == 3


def test_bookmark_saves_a_list_when_the_server_has_forgotten_older_versions(run: Run) -> None:
    async def story(world: World) -> None:
        await world.watching()
        world.api.bookmark()
        world.api.forget()
        await asyncio.sleep(0.05)
        world.api.hang_up()
        await world.until(lambda: len(world.api.requests) == 3 and world.api.watchers)

    world = run(story)
    assert sum("limit=" in request for request in world.api.requests) == 1
    assert world.failures() == 0


def test_forgotten_version_means_a_new_list_that_tells_only_what_changed(run: Run) -> None:
    async def story(world: World) -> None:
        world.api.put(PODS_PATH, pod("a"))
        world.api.put(PODS_PATH, pod("b"))
        await world.watching()
        world.api.hang_up()
        world.api.delete(PODS_PATH, "a", "apps")
        world.api.put(PODS_PATH, pod("c"))
        world.api.forget()
        await world.until(lambda: len(world.changes) == 4)

    world = run(story)
    assert world.changes == [("add", "a"), ("add", "b"), ("delete", "a"), ("add", "c")]
    assert world.failures() == 1


def test_rotated_token_is_used_for_the_next_request(run: Run) -> None:
    async def story(world: World) -> None:
        await world.watching()
        world.api.write_token("rotated")
        world.api.hang_up()
        world.api.put(PODS_PATH, pod("a"))
        await world.until(lambda: world.changes)

    assert run(story).failures() == 0


def test_refusal_is_logged_once_in_the_servers_words(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        del world.api.collections[PODS_PATH]
        await world.until(lambda: world.failures() >= 3)
        world.api.collections[PODS_PATH] = "Pod"
        world.api.put(PODS_PATH, pod("a"))
        await world.until(lambda: world.changes)

    run(story)
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.__dict__["err"] == "/api/v1/pods: 404 the server could not find the requested resource"


def test_object_that_comes_back_unchanged_is_no_change() -> None:
    pods = Reflector(PODS)
    page = b'{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a","resourceVersion":"5"}}]}'
    assert [change.event for change in pods.page(page)] == [Event.ADD]
    pods.refused(410)
    assert pods.page(page) == []
