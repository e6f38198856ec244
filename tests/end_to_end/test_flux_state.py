"""`gotk_resource_info` from the API server alone: a real server beside a simulated cluster."""

from pathlib import Path

from tests.end_to_end.programs import eventually, miniprom, query
from tests.end_to_end.test_monitors import cluster, kubeconfig
from tests.kubernetes_api.flux import collection, flux_object, install
from tests.kubernetes_api.server import KubernetesApi

CONFIG = "global: {scrape_interval: 1s}\n"


def test_state_of_flux_is_written_and_follows_the_objects(tmp_path: Path) -> None:
    api = KubernetesApi(tmp_path / "api")
    install(api, "Kustomization", "Alert")
    kustomizations = collection("Kustomization")
    api.put(kustomizations, flux_object("apps", status={"lastAppliedRevision": "main@sha1:1"}))
    api.put(kustomizations, flux_object("infra"))
    api.put(collection("Alert"), flux_object("slack"))
    with cluster(api, 0) as loop:
        access = tmp_path / "kubeconfig"
        access.write_text(kubeconfig(api))
        flags = ("--flux.state", "--flux.old-metrics", f"--kubernetes.kubeconfig={access}")
        with miniprom(CONFIG, tmp_path, *flags) as (url, _):
            eventually(lambda: query(url, "gotk_resource_info"), lambda found: len(found) == 3)
            failing = flux_object("apps", ready="False", status={"lastAppliedRevision": "main@sha1:2"})
            loop.call_soon_threadsafe(api.put, kustomizations, failing)
            loop.call_soon_threadsafe(api.delete, kustomizations, "infra", "flux-system")
            found = eventually(
                lambda: query(url, 'gotk_resource_info{customresource_kind="Kustomization"}'),
                lambda found: [each["metric"]["ready"] for each in found] == ["False"],
            )
            assert found[0]["metric"]["revision"] == "main@sha1:2"
            [changes] = query(url, "gotk_resource_revision_changes_total")
            assert changes["value"][1] == "1"
            [old] = query(url, 'gotk_reconcile_condition{status="False"} == 1')
            assert old["metric"]["name"] == "apps"
