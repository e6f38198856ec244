"""Alertmanagers found among a cluster's pods: those that come are told, those that go are forgotten."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from collector.clock import VirtualClock
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery_config import KubernetesConfig
from collector.relabel import RelabelConfig
from miniprom.config.sections import AlertmanagerConfig
from miniprom.notify.alertmanagers import Alertmanagers
from tests.kubernetes_api.objects import FLUX, flux_pod
from tests.kubernetes_api.server import KubernetesApi
from tests.miniprom.notify.support import RecordingPoster, alert, settle

PODS = "api/v1/pods"
OURS = AlertmanagerConfig(
    kubernetes_sd_configs=(KubernetesConfig(role="pod"),),
    relabel_configs=(
        RelabelConfig(
            source_labels=("__meta_kubernetes_pod_label_app",), regex="alertmanager", action="keep"
        ),
        RelabelConfig(
            source_labels=("__meta_kubernetes_pod_ip",), target_label="__address__", replacement="$1:9093"
        ),
    ),
)


async def until(clock: VirtualClock, holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        await asyncio.sleep(0.005)
        await clock.advance(50)
    raise AssertionError("still not so")


def test_pods_of_a_cluster_are_told_of_alerts_while_they_are_there(tmp_path: Path) -> None:
    async def story() -> None:
        api, clock, poster = KubernetesApi(tmp_path), VirtualClock(), RecordingPoster()
        api.put(PODS, flux_pod("alertmanager", "10.0.0.1", 9093))
        api.put(PODS, flux_pod("source-controller", "10.0.0.2", 8080))
        async with api.running():
            surroundings = Surroundings(api.environ, str(api.folder))
            alertmanagers = Alertmanagers(clock, new_poster=lambda _: poster, surroundings=surroundings)
            await alertmanagers.apply((OURS,))
            await until(clock, lambda: alertmanagers.active == ["http://10.0.0.1:9093/api/v2/alerts"])
            later = api.put(PODS, flux_pod("alertmanager", "10.0.0.3", 9093, suffix="later"))
            await until(clock, lambda: len(alertmanagers.active) == 2)
            alertmanagers.send([alert("A")])
            await settle()
            assert {url for url, _ in poster.posted} == set(alertmanagers.active)
            api.delete(PODS, later["metadata"]["name"], FLUX)
            await until(clock, lambda: alertmanagers.active == ["http://10.0.0.1:9093/api/v2/alerts"])
            await alertmanagers.stop()

    asyncio.run(story())
