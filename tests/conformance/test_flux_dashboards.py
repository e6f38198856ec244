"""The dashboards' queries about Flux's objects, answered from the state that miniprom watches itself."""

import asyncio
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from _pytest.mark import ParameterSet
from prometheus_client import CollectorRegistry

from collector.clock import SystemClock
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery.metrics import KubernetesMetrics
from collector.flux import FluxState, FluxWatch, StateWriter
from miniprom.simulator import Cluster
from query import Engine, EngineOptions, InstantVector
from tests.conformance.dashboards import DASHBOARDS, panels
from tests.kubernetes_api.flux import collection, flux_object, install
from tests.kubernetes_api.server import KubernetesApi
from tsdb import Store

METRICS = ("gotk_resource_info", "gotk_reconcile_condition")
NOW_MS = 1_700_000_000_000


def queries() -> list[ParameterSet]:
    files = sorted(DASHBOARDS.glob("*.json"))
    return [
        pytest.param(panel.query, id=f"{file.stem}: {panel.title} {number}")
        for file in files
        for number, panel in enumerate(panels(file))
        if any(metric in panel.query for metric in METRICS)
    ]


@cache
def watched() -> Store:
    """What the state of a simulated cluster's objects leaves in the store."""

    async def watch(folder: Path) -> Store:
        api, state, store = KubernetesApi(folder), FluxState(with_old_metrics=True), Store(retention_ms=None)
        install(api)
        cluster = Cluster(NOW_MS)
        cluster.advance(NOW_MS + 300_000)
        for item in cluster.objects:
            spec = {"suspend": True} if item.suspended else {}
            known = flux_object(item.name, namespace=item.namespace, ready=str(item.ready), spec=spec)
            api.put(collection(item.kind.name), known)
        async with api.running():
            access = Surroundings(api.environ, str(folder)).access()
            metrics = KubernetesMetrics(CollectorRegistry())
            task = asyncio.create_task(FluxWatch(state, access, SystemClock(), metrics).run())
            async with asyncio.timeout(20):
                while sum(dict(labels)["__name__"] == METRICS[0] for labels in state.samples(0)[0]) < len(
                    cluster.objects
                ):
                    await asyncio.sleep(0.02)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        StateWriter(store).write(*state.samples(NOW_MS), NOW_MS)
        return store

    with TemporaryDirectory() as folder:
        return asyncio.run(watch(Path(folder)))


def instant(query: str) -> InstantVector:
    value = Engine(EngineOptions()).instant(watched().snapshot(0), query, NOW_MS).value
    assert isinstance(value, InstantVector)
    return value


@pytest.mark.skipif(not DASHBOARDS.is_dir(), reason=f"dashboards are not at {DASHBOARDS}")
@pytest.mark.parametrize("query", queries())
def test_panel_has_an_answer(query: str) -> None:
    assert instant(query).labels.size > 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('count(gotk_resource_info{customresource_kind=~"Kustomization|HelmRelease"})', 8),
        ('count(gotk_resource_info{customresource_kind=~"Kustomization|HelmRelease", ready="False"})', 1),
        ('count(gotk_resource_info{suspended="true"})', 1),
        ('sum(gotk_reconcile_condition{type="Ready",status="False",kind=~"Kustomization|HelmRelease"})', 1),
        ("sum(gotk_suspend_status)", 1),
    ],
)
def test_answer_is_what_the_simulation_is_made_of(query: str, expected: float) -> None:
    assert instant(query).values.tolist() == [expected]
