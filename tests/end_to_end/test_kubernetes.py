"""The scrape configurations that Flux and Flagger ship, unchanged, in a simulated cluster."""

from itertools import pairwise
from pathlib import Path

from collector.fetch import Request, Response
from collector.scrape import Health
from miniprom.config import load_config, parse_config
from tests.collector.scraping import STALE, TEXT_TYPE, stored
from tests.end_to_end.kubernetes_world import CONTROLLERS, NODES, PODS, World, flux_file, run
from tests.kubernetes_api.objects import flux_pod, node

FLUX_CONFIG = "flux-v0-prometheus.yml"
FLAGGER_CONFIG = "flagger-prometheus.yml"
PODS_JOB = "kubernetes-pods"


async def scraped(world: World, config: str) -> None:
    """Let the world run until all pods of Flux were scraped."""
    await world.run_flux()
    await world.manager.apply(load_config(str(flux_file(config))).scrape_configs)
    await world.until(lambda: len(world.up(PODS_JOB)) == len(CONTROLLERS))
    await world.until(lambda: all(t.health is Health.UP for t in world.manager.active()))


def test_flux_configuration_finds_the_controllers_and_the_api_server(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await scraped(world, FLUX_CONFIG)
        [apiserver] = world.up("kubernetes-apiserver").values()
        assert apiserver.url == f"{world.api.url}/metrics"
        pods = world.up(PODS_JOB)
        target = dict(pods["helm-controller-7d9f-x2k4q"].labels)
        assert target == {
            "job": PODS_JOB,
            "instance": f"127.0.7.3:{world.pod_port}",
            "app": "helm-controller",
            "pod_template_hash": "7d9f",
            "namespace": "flux-system",
            "pod": "helm-controller-7d9f-x2k4q",
        }

    world = run(tmp_path, story)
    assert stored(world.store, "apiserver_request_total", job="kubernetes-apiserver")
    assert stored(world.store, "gotk_reconcile_condition", pod="helm-controller-7d9f-x2k4q")


def test_two_container_ports_that_relabel_to_one_address_are_one_target(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await scraped(world, FLUX_CONFIG)
        assert len(world.up(PODS_JOB)) == len(CONTROLLERS)

    world = run(tmp_path, story)
    discovered = world.registry.get_sample_value(
        "prometheus_sd_discovered_targets", {"name": "scrape", "config": PODS_JOB}
    )
    assert discovered == 2 * len(CONTROLLERS)


def test_rolled_pod_goes_stale_at_once_and_the_others_are_not_disturbed(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await scraped(world, FLUX_CONFIG)
        before = world.up(PODS_JOB)
        gone_ms = world.clock.now_ms()
        world.delete_pod("source-controller-7d9f-x2k4q")
        new = await world.run_pod("source-controller", "127.0.7.9", suffix="8c1b-aaaaa")
        await world.until(lambda: new in world.up(PODS_JOB))
        [old] = stored(world.store, "up", pod="source-controller-7d9f-x2k4q").values()
        stale_ms, last = old[-1]
        assert last == STALE
        assert gone_ms < stale_ms <= gone_ms + 5_000  # the longest that news are held back
        after = world.up(PODS_JOB)
        for name in before.keys() - {"source-controller-7d9f-x2k4q"}:
            assert after[name] == before[name]

    run(tmp_path, story)


def test_api_server_that_is_away_loses_no_target_and_no_scrape(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await scraped(world, FLUX_CONFIG)
        await world.take_api_away()
        await world.clock.advance(120_000)
        assert len(world.up(PODS_JOB)) == len(CONTROLLERS)
        world.delete_pod("helm-controller-7d9f-x2k4q")
        world.api.forget()
        await world.bring_api_back()
        await world.until(lambda: len(world.up(PODS_JOB)) == len(CONTROLLERS) - 1, step_ms=1_000)

    world = run(tmp_path, story)
    for points in stored(world.store, "up", job=PODS_JOB).values():
        times = [time_ms for time_ms, value in points if value == 1]
        assert len(times) >= 12
        assert {later - earlier for earlier, later in pairwise(times)} == {10_000}


def test_flagger_configuration_finds_cadvisor_and_pods(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await scraped(world, FLAGGER_CONFIG)
        assert world.manager.pools() == [
            "appmesh-envoy",
            "kubernetes-apiservers",
            "kubernetes-cadvisor",
            PODS_JOB,
        ]
        assert set(world.up("kubernetes-cadvisor")) == {"node-1"}
        assert not world.up("appmesh-envoy")
        world.api.put(NODES, node("node-2", "10.0.0.2"))
        await world.until(lambda: len(world.up("kubernetes-cadvisor")) == 2)

    world = run(tmp_path, story)
    labels = {"job": "kubernetes-cadvisor", "instance": "node-1", "kubernetes_io_arch": "amd64"}
    assert stored(world.store, "container_cpu_usage_seconds_total", **labels)
    assert not stored(world.store, "other")


def test_jobs_with_equal_discovery_share_one_watch(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await scraped(world, FLAGGER_CONFIG)

    requests = run(tmp_path, story).api.requests
    assert len([path for path in requests if path.startswith("/api/v1/pods?limit")]) == 1


def test_own_namespace_is_watched_and_no_other(tmp_path: Path) -> None:
    text = """
    scrape_configs:
    - job_name: kubernetes-pods
      kubernetes_sd_configs:
      - {role: pod, namespaces: {own_namespace: true, names: [flux-system]}}
    """

    async def story(world: World) -> None:
        elsewhere = flux_pod("web", "10.0.0.9", 80)
        elsewhere["metadata"]["namespace"] = "shop"
        world.api.put(PODS, elsewhere)
        await world.run_pod("helm-controller", "127.0.7.1")
        await world.manager.apply(parse_config(text, "prometheus.yml").scrape_configs)
        await world.until(world.manager.active)
        assert len(world.manager.active()) == 2  # the two ports of one pod

    requests = run(tmp_path, story).api.requests
    assert [path for path in requests if "limit=" in path] == [
        "/api/v1/namespaces/flux-system/pods?limit=500"
    ]


class AnyTarget:
    """Every URL answers at once, without a network."""

    async def fetch(self, _request: Request) -> Response:
        return Response(TEXT_TYPE, b"m 1\n")

    async def close(self) -> None:
        return


def test_hundreds_of_pods_that_come_and_go_disturb_none_that_stays(tmp_path: Path) -> None:
    staying, rounds, at_once = 200, 20, 5
    gone_ms: dict[str, int] = {}

    def start(world: World, number: int) -> None:
        ip = f"10.{number >> 8}.{number & 255}.1"
        world.api.put(PODS, flux_pod("web", ip, 8080, suffix=str(number)))

    async def story(world: World) -> None:
        for number in range(staying + at_once):
            start(world, number)
        jobs = load_config(str(flux_file(FLUX_CONFIG))).scrape_configs
        await world.manager.apply([job for job in jobs if job.job_name == PODS_JOB])
        await world.until(lambda: len(world.up(PODS_JOB)) == staying + at_once)
        await world.clock.advance(20_000)
        for number in range(staying, staying + rounds * at_once, at_once):
            for oldest in range(number, number + at_once):
                gone_ms[f"web-{oldest}"] = world.clock.now_ms()
                world.delete_pod(f"web-{oldest}")
                start(world, oldest + at_once)
            await world.pass_time(3_000)
        await world.until(lambda: gone_ms.keys().isdisjoint(world.up(PODS_JOB)))

    world = run(tmp_path, story, AnyTarget())
    for number in range(staying):
        [points] = stored(world.store, "up", pod=f"web-{number}").values()
        times = [time_ms for time_ms, _ in points]
        assert len(times) >= 7
        assert {later - earlier for earlier, later in pairwise(times)} == {10_000}
        assert {value for _, value in points} == {1}
    for name, deleted_ms in gone_ms.items():
        for points in stored(world.store, "up", pod=name).values():
            stale_ms, last = points[-1]
            assert last == STALE
            assert stale_ms - deleted_ms <= 6_000
