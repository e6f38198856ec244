"""Groups of a cluster that no server stands behind: objects go straight into the reflectors."""

import json
from collections.abc import Mapping
from typing import Any

from collector.discovery.kubernetes.groups import KubernetesGroups
from collector.discovery.kubernetes.reflector import Reflector
from collector.discovery_config import KubernetesConfig, KubernetesMetadata, KubernetesRole
from tests.kubernetes_api.server import Json
from tests.kubernetes_api.shop import OBJECTS

FORBIDDEN = "forbidden"
"""A namespace whose objects are not listed until somebody asks for it."""


class FakeCluster:
    """The shop's objects, or others, and the groups that a discovery makes of them."""

    def __init__(self, config: KubernetesConfig, objects: Mapping[str, list[Json]] = OBJECTS) -> None:
        self.groups = KubernetesGroups(config, config.namespaces.names or [""])
        self._version = 0
        self._objects = objects
        for reflector in self.groups.reflectors:
            if reflector.namespace != FORBIDDEN:
                self.list(reflector)

    def list(self, reflector: Reflector[Any]) -> bool:
        """Answer a reflector's list; whether the groups care."""
        namespaces = ("", reflector.namespace) if reflector.namespace else ()
        items = [
            self._versioned(item)
            for item in self._objects.get(f"{reflector.resource.api}/{reflector.resource.plural}", [])
            if not namespaces or item["metadata"].get("namespace", "") in namespaces
        ]
        page = {"metadata": {"resourceVersion": "1"}, "items": items}
        return self.groups.changed(reflector.resource, reflector.page(json.dumps(page).encode()))

    def event(self, type_: str, plural: str, item: Json) -> bool:
        """Let a watch tell of an object; whether the groups care."""
        [reflector] = [r for r in self.groups.reflectors if r.resource.plural == plural]
        line = json.dumps({"type": type_, "object": self._versioned(item)}).encode()
        return self.groups.changed(reflector.resource, reflector.line(line))

    def _versioned(self, item: Json) -> Json:
        self._version += 1
        return {**item, "metadata": {**item["metadata"], "resourceVersion": str(self._version)}}


def discovered(role: KubernetesRole, **attach: bool) -> dict[str, list[dict[str, str]]]:
    """The labels of the shop's targets by group, without the prefix of meta labels and without empty ones."""
    config = KubernetesConfig(role=role, attach_metadata=KubernetesMetadata(**attach))
    return {
        group.source: [_short({**group.labels, **target}) for target in group.targets]
        for group in FakeCluster(config).groups.groups()
    }


def _short(labels: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("__meta_kubernetes_"): value for name, value in sorted(labels.items()) if value}
