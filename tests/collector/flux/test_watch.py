"""Which kinds of Flux are watched, while Flux is installed and upgraded."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from collector.clock import SystemClock
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery.metrics import KubernetesMetrics
from collector.flux import FluxState, FluxWatch
from tests.kubernetes_api.flux import collection, flux_object, install
from tests.kubernetes_api.server import KubernetesApi

KUSTOMIZATIONS = collection("Kustomization")
OLDER_KUSTOMIZATIONS = KUSTOMIZATIONS.replace("/v1/", "/v1beta2/")


def names(state: FluxState) -> list[str]:
    """The name and the version of all objects known."""
    infos = [dict(labels) for labels in state.samples(0)[0]]
    return sorted(
        f"{labels['name']} {labels['customresource_version']}"
        for labels in infos
        if labels["__name__"] == "gotk_resource_info"
    )


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KubernetesApi:
    monkeypatch.setattr("collector.flux.watch.LOOK_MS", 50)
    monkeypatch.setattr("collector.flux.watch.RETRY_MS", 20)
    monkeypatch.setattr("collector.discovery.backoff.FIRST_MS", 20)
    return KubernetesApi(tmp_path)


def watch(api: KubernetesApi, story: Callable[[FluxState], Awaitable[None]]) -> None:
    """Run a story while the cluster is watched."""

    async def whole() -> None:
        state = FluxState()
        async with api.running():
            access = Surroundings(api.environ, str(api.folder)).access()
            metrics = KubernetesMetrics(CollectorRegistry())
            task = asyncio.create_task(FluxWatch(state, access, SystemClock(), metrics).run())
            try:
                await story(state)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(whole())


@contextmanager
def older_version(api: KubernetesApi) -> Iterator[None]:
    """A cluster that serves kustomizations in an older version only, until the block ends."""
    pages, collections = dict(api.pages), dict(api.collections)
    api.collections[OLDER_KUSTOMIZATIONS] = "Kustomization"
    del api.collections[KUSTOMIZATIONS]
    api.pages = {path.replace("/v1", "/v1beta2"): text for path, text in pages.items() if path != "/apis"}
    api.pages["/apis"] = pages["/apis"].replace('"v1"', '"v1beta2"')
    yield
    api.pages, api.collections = pages, collections


def test_flux_that_is_installed_later_is_found(api: KubernetesApi) -> None:
    async def story(state: FluxState) -> None:
        api.pages = {"/apis": json.dumps({"groups": []})}
        await until(lambda: len(api.requests) > 2)
        install(api, "Kustomization")
        api.put(KUSTOMIZATIONS, flux_object("apps"))
        await until(lambda: names(state) == ["apps v1"])

    watch(api, story)


def test_upgrade_to_a_new_version_of_the_api_is_followed(api: KubernetesApi) -> None:
    async def story(state: FluxState) -> None:
        install(api, "Kustomization")
        with older_version(api):
            api.put(OLDER_KUSTOMIZATIONS, flux_object("apps"))
            await until(lambda: names(state) == ["apps v1beta2"])
        api.put(KUSTOMIZATIONS, flux_object("apps"))
        await until(lambda: names(state) == ["apps v1"])

    watch(api, story)


def test_kind_that_is_not_served_any_more_is_forgotten(api: KubernetesApi) -> None:
    async def story(state: FluxState) -> None:
        install(api, "Kustomization", "Bucket")
        for kind in ("Kustomization", "Bucket"):
            api.put(collection(kind), flux_object(kind.lower()))
        await until(lambda: names(state) == ["bucket v1", "kustomization v1"])
        install(api, "Bucket")
        await until(lambda: names(state) == ["bucket v1"])

    watch(api, story)


def test_server_that_can_not_be_asked_is_warned_of_and_asked_again(
    api: KubernetesApi, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(state: FluxState) -> None:
        await until(lambda: len(api.requests) > 1)
        install(api, "Bucket")
        api.put(collection("Bucket"), flux_object("b"))
        await until(lambda: names(state) == ["b v1"])

    with caplog.at_level(logging.WARNING):
        watch(api, story)
    assert caplog.records[0].message == "Failed to find the kinds of Flux"
