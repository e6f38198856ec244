"""The manifests in deploy/: they fit together, and what they start is what this program understands."""

from pathlib import Path
from typing import Any

import yaml

from collector.discovery.kubernetes.monitors import KINDS, RULES
from collector.discovery.kubernetes.resources import Resource
from collector.discovery.kubernetes.roles import watched
from miniprom.cli.serve import read_flags
from miniprom.config import load_config, warnings_of
from miniprom.memory_limit import memory_limit_bytes
from miniprom.settings import settings_of

DEPLOY = Path(__file__).parent.parent / "deploy"
BASE = DEPLOY / "base"


def documents() -> list[dict[str, Any]]:
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    return [document for name in listed for document in yaml.safe_load_all((BASE / name).read_text())]


def only(kind: str) -> dict[str, Any]:
    [found] = [document for document in documents() if document["kind"] == kind]
    return found


def container() -> dict[str, Any]:
    [found] = only("Deployment")["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_every_manifest_is_listed() -> None:
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    others = {file.name for file in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == others


def test_arguments_are_flags_that_have_an_effect() -> None:
    settings = settings_of(read_flags(container()["args"]))
    assert settings.retention_ms == 7_200_000
    assert [notice for notice in settings.notices if "storage.tsdb.path" not in notice] == []


def test_store_leaves_room_in_the_memory_that_the_container_has() -> None:
    limit = container()["resources"]["limits"]["memory"]
    assert limit.endswith("Mi")
    available_bytes = int(limit.removesuffix("Mi")) << 20
    [share] = [flag.partition("=")[2] for flag in container()["args"] if "memory-limit" in flag]
    store_bytes = memory_limit_bytes(share, lambda: available_bytes)
    assert store_bytes
    assert available_bytes - store_bytes >= 150 << 20  # for the program and its queries


def test_configuration_loads_without_a_warning() -> None:
    assert warnings_of(load_config(str(BASE / "prometheus.yml"))) == []


def test_account_may_watch_all_that_the_configuration_needs() -> None:
    granted = {
        (group, resource)
        for rule in only("ClusterRole")["rules"]
        if "watch" in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    needed: set[Resource[Any]] = {RULES, *(kind.resource for kind in KINDS)}  # for --kubernetes.monitors
    for job in load_config(str(BASE / "prometheus.yml")).scrape_configs:
        for section in job.kubernetes_sd_configs:
            needed.update(watched(section.role, section.attach_metadata))
    for resource in needed:
        group = resource.api.removeprefix("api/v1").removeprefix("apis/").partition("/")[0]
        assert (group, resource.plural) in granted


def test_container_can_write_nothing_but_its_data_and_is_not_root() -> None:
    security = container()["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert only("Deployment")["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    writable = [mount["mountPath"] for mount in container()["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/data"]


def test_service_selects_the_pod_and_a_port_that_it_has() -> None:
    service, template = only("Service")["spec"], only("Deployment")["spec"]["template"]
    assert service["selector"].items() <= template["metadata"]["labels"].items()
    assert {port["targetPort"] for port in service["ports"]} <= {
        port["name"] for port in container()["ports"]
    }


def test_variant_of_flux_changes_nothing_but_the_image() -> None:
    variant = yaml.safe_load((DEPLOY / "flux-v0" / "kustomization.yaml").read_text())
    assert set(variant) == {"apiVersion", "kind", "namespace", "resources", "images"}
    [image] = variant["images"]
    assert image["name"] == "prom/prometheus"
    assert f"{image['newName']}:{image['newTag']}" == container()["image"]
