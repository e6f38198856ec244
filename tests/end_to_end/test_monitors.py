"""A real server, a kubeconfig, and objects of the Prometheus Operator: no operator anywhere."""

import asyncio
import base64
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from benchmarks.programs import free_port
from tests.end_to_end.kubernetes_world import CONTROLLERS, PODS, flux_file
from tests.end_to_end.programs import eventually, fetch, miniprom, query
from tests.kubernetes_api.objects import FLUX, flux_pod
from tests.kubernetes_api.server import KubernetesApi

MONITORS = "apis/monitoring.coreos.com/v1"
OPERATED = {
    f"{MONITORS}/podmonitors": "PodMonitor",
    f"{MONITORS}/servicemonitors": "ServiceMonitor",
    f"{MONITORS}/prometheusrules": "PrometheusRule",
}
CONFIG = "global: {scrape_interval: 1s}\nscrape_configs: []\n"


@contextmanager
def cluster(api: KubernetesApi, pod_port: int) -> Iterator[asyncio.AbstractEventLoop]:
    """Serves the API and the pods' pages in a thread; the loop is to be used with call_soon_threadsafe."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="controller_runtime_active_workers 1\n")

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(api.running())
            app = web.Application()
            app.router.add_get("/metrics", page)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            for number in range(1, len(CONTROLLERS) + 1):
                await web.TCPSite(runner, f"127.0.8.{number}", pod_port).start()
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(10)
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def kubeconfig(api: KubernetesApi) -> str:
    """Access with the authority given inline, as kubectl writes it."""
    authority = base64.b64encode((api.folder / "ca.crt").read_bytes()).decode()
    return json.dumps(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [
                {"name": "k", "cluster": {"server": api.url, "certificate-authority-data": authority}}
            ],
            "users": [{"name": "u", "user": {"token": api.token}}],
        }
    )


def targets(url: str) -> list[dict[str, Any]]:
    """The active targets that the API shows."""
    found: list[dict[str, Any]] = json.loads(fetch(f"{url}/api/v1/targets"))["data"]["activeTargets"]
    return found


def test_pod_monitor_of_flux_is_scraped_without_the_operator(tmp_path: Path) -> None:
    api, port = KubernetesApi(tmp_path / "api"), free_port()
    api.collections |= OPERATED
    monitor = yaml.safe_load(flux_file("v2-podmonitor.yaml").read_text())
    monitor["metadata"]["namespace"] = "monitoring"  # kubectl fills it in
    for number, controller in enumerate(CONTROLLERS, start=1):
        api.put(PODS, flux_pod(controller, f"127.0.8.{number}", port))
    with cluster(api, port) as loop:
        access = tmp_path / "kubeconfig"
        access.write_text(kubeconfig(api))
        flags = ("--kubernetes.monitors", f"--kubernetes.kubeconfig={access}")
        with miniprom(CONFIG.replace("[]", _pod_job(access)), tmp_path, *flags) as (url, _):
            eventually(lambda: len(targets(url)), lambda count: count == 1)
            loop.call_soon_threadsafe(api.put, f"{MONITORS}/podmonitors", monitor)
            eventually(lambda: len(targets(url)), lambda count: count == 1 + len(CONTROLLERS))
            up = 'up{job="monitoring/flux-system"} == 1'
            found = eventually(lambda: query(url, up), lambda result: len(result) == len(CONTROLLERS))
            labels = [result["metric"] for result in found if result["metric"]["pod"].startswith("helm")]
            assert labels == [
                {
                    "__name__": "up",
                    "container": "manager",
                    "endpoint": "http-prom",
                    "instance": f"127.0.8.3:{port}",
                    "job": "monitoring/flux-system",
                    "namespace": FLUX,
                    "pod": "helm-controller-7d9f-x2k4q",
                }
            ]
            [target] = [t for t in targets(url) if t["labels"]["job"] == "file-job"]
            assert target["discoveredLabels"]["__meta_kubernetes_pod_phase"] == "Running"
            loop.call_soon_threadsafe(api.delete, f"{MONITORS}/podmonitors", "flux-system", "monitoring")
            eventually(lambda: len(targets(url)), lambda count: count == 1)


def _pod_job(access: Path) -> str:
    """A job of the configuration file that discovers with the same kubeconfig."""
    job = {
        "job_name": "file-job",
        "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": str(access)}],
        "relabel_configs": [
            {
                "source_labels": ["__meta_kubernetes_pod_name", "__meta_kubernetes_pod_container_port_name"],
                "regex": "source-.*;http-prom",
                "action": "keep",
            }
        ],
    }
    return json.dumps([job])


def test_prometheus_rules_are_evaluated_without_the_operator(tmp_path: Path) -> None:
    api = KubernetesApi(tmp_path / "api")
    api.collections |= OPERATED
    kept = {"record": "kept", "expr": 1}
    api.put(f"{MONITORS}/prometheusrules", prometheus_rule("stays", kept))
    api.put(f"{MONITORS}/prometheusrules", prometheus_rule("broken", {"record": "r", "expr": "sum("}))
    api.put(f"{MONITORS}/prometheusrules", prometheus_rule("changes", {"record": "old", "expr": "kept"}))
    (tmp_path / "files.yml").write_text("groups: [{name: of-file, rules: [{record: f, expr: '3'}]}]")
    with cluster(api, free_port()) as loop:
        access = tmp_path / "kubeconfig"
        access.write_text(kubeconfig(api))
        flags = ("--kubernetes.monitors", f"--kubernetes.kubeconfig={access}")
        config = f"global: {{evaluation_interval: 100ms}}\nrule_files: ['{tmp_path}/files.yml']\n"
        with miniprom(config, tmp_path, *flags) as (url, process):
            eventually(lambda: query(url, "old"), lambda found: found and found[0]["value"][1] == "1")
            assert list(groups(url)) == [f"{tmp_path}/files.yml", "shop/changes", "shop/stays"]
            assert managed(url) == {"selected": 2, "rejected": 1}

            alert = {"alert": "New", "expr": "kept > 0", "annotations": {"text": "{{ $value }}"}}
            loop.call_soon_threadsafe(
                api.put, f"{MONITORS}/prometheusrules", prometheus_rule("changes", alert)
            )
            loop.call_soon_threadsafe(api.put, f"{MONITORS}/prometheusrules", prometheus_rule("broken", kept))
            eventually(lambda: query(url, 'ALERTS{alertname="New",alertstate="firing"}'), bool)
            eventually(lambda: managed(url), lambda states: states == {"selected": 3, "rejected": 0})
            assert eventually(lambda: query(url, "old"), lambda found: not found) == []

            process.send_signal(signal.SIGHUP)  # the files are read again, the objects are still there
            loop.call_soon_threadsafe(api.delete, f"{MONITORS}/prometheusrules", "changes", "shop")
            eventually(lambda: "shop/changes" in groups(url), lambda is_there: not is_there)
            assert list(groups(url)) == [f"{tmp_path}/files.yml", "shop/broken", "shop/stays"]
            evaluations = 'prometheus_rule_evaluations_total{rule_group="shop/stays;g"}'
            assert evaluations in fetch(f"{url}/metrics")
    log = (tmp_path / "miniprom.log").read_text()
    assert log.count("Skipping a PrometheusRule") == 1
    assert "Traceback" not in log


def prometheus_rule(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    """An object with one group."""
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"groups": [{"name": "g", "rules": list(rules)}]},
    }


def groups(url: str) -> dict[str, Any]:
    """The groups that the API shows, by file."""
    found = json.loads(fetch(f"{url}/api/v1/rules"))["data"]["groups"]
    return {group["file"]: group for group in found}


def managed(url: str) -> dict[str, int]:
    """How many PrometheusRule objects are in use, and how many are not, as the operator's metric tells."""
    sample = 'prometheus_operator_managed_resources{resource="PrometheusRule",state="'
    lines = [line for line in fetch(f"{url}/metrics").splitlines() if line.startswith(sample)]
    pairs = (line.removeprefix(sample).split('"} ') for line in lines)
    return {state: int(float(count)) for state, count in pairs}
