"""Flux's custom resources: their definitions, and objects as the controllers leave them."""

import json

from collector.flux.kinds import KINDS, FluxKind
from tests.kubernetes_api.server import Json, KubernetesApi

VERSIONS = {"HelmRelease": "v2", "Alert": "v1beta3", "Provider": "v1beta3"}
READY_SINCE = "2023-11-14T22:00:00Z"


def collection(kind: str) -> str:
    """Where the API server keeps a kind of Flux."""
    found = next(each for each in KINDS if each.name == kind)
    return f"apis/{found.group}/{_version(found)}/{found.plural}"


def install(api: KubernetesApi, *kinds: str) -> None:
    """Add the custom resource definitions of these kinds, or of all."""
    chosen = [kind for kind in KINDS if not kinds or kind.name in kinds]
    groups: dict[str, dict[str, list[Json]]] = {}
    for kind in chosen:
        api.collections[collection(kind.name)] = kind.name
        resources = groups.setdefault(kind.group, {}).setdefault(_version(kind), [])
        resources += [{"name": kind.plural, "kind": kind.name}, {"name": f"{kind.plural}/status"}]
    pages = {"/apis": {"kind": "APIGroupList", "groups": [_group(name, groups[name]) for name in groups]}}
    for name, versions in groups.items():
        for version, resources in versions.items():
            pages[f"/apis/{name}/{version}"] = {"kind": "APIResourceList", "resources": resources}
    api.pages = {**api.pages, **{path: json.dumps(page) for path, page in pages.items()}}


def flux_object(
    name: str,
    *,
    namespace: str = "flux-system",
    ready: str = "True",
    since: str = READY_SINCE,
    spec: Json | None = None,
    status: Json | None = None,
) -> Json:
    """An object with a Ready condition."""
    conditions = [
        {"type": "Reconciling", "status": "True"},
        {"type": "Ready", "status": ready, "lastTransitionTime": since},
    ]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec or {},
        "status": {"conditions": conditions, **(status or {})},
    }


def _version(kind: FluxKind) -> str:
    return VERSIONS.get(kind.name, "v1")


def _group(name: str, versions: dict[str, list[Json]]) -> Json:
    return {"name": name, "versions": [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]}
