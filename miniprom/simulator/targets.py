"""Simulated scrape targets: bodies by target name, and the configuration that scrapes them."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest

from miniprom.simulator.catalog import Era
from miniprom.simulator.cluster import Cluster
from miniprom.simulator.families import cadvisor_registry, controller_registry, kube_state_metrics_registry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class SimulatedTargets:
    """The `/metrics` pages of a simulated cluster; `body` lets its time pass first."""

    def __init__(self, cluster: Cluster, era: Era = Era.V2) -> None:
        self.era = era
        self._cluster = cluster
        self._registries: dict[str, CollectorRegistry] = {
            name: controller_registry(cluster, pod, era) for name, pod in cluster.pods.items()
        }
        if era is Era.V2:
            self._registries["kube-state-metrics"] = kube_state_metrics_registry(cluster)
            self._registries["cadvisor"] = cadvisor_registry(cluster)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._registries)

    def body(self, name: str, now_ms: int) -> bytes:
        """The text exposition of one target at `now_ms`. Raises KeyError for an unknown name."""
        self._cluster.advance(now_ms)
        return generate_latest(self._registries[name])

    def pod_name(self, name: str) -> str:
        pod = self._cluster.pods.get(name)
        return pod.name if pod else f"{name}-0"

    def scrape_config(self, addresses: Mapping[str, str], *, scrape_interval: str = "10s") -> str:
        """A prometheus.yml that scrapes all targets, labelled as the era's pod discovery does."""
        jobs = "".join(self._job(name, addresses[name]) for name in self.names)
        return f"global:\n  scrape_interval: {scrape_interval}\nscrape_configs:\n{jobs}"

    def _job(self, name: str, address: str) -> str:
        honor = "  honor_labels: true\n" if name == "cadvisor" else ""
        namespace, pod = POD_LABELS[self.era]
        return (
            f"- job_name: {name}\n{honor}  static_configs:\n  - targets: ['{address}']\n"
            f"    labels:\n      {namespace}: flux-system\n      {pod}: {self.pod_name(name)}\n"
        )


POD_LABELS: Mapping[Era, tuple[str, str]] = {
    Era.V0: ("kubernetes_namespace", "kubernetes_pod_name"),
    Era.V2: ("namespace", "pod"),
}
