"""The roles of `kubernetes_sd_configs` as a table: what each watches, and how groups are made of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from collector.discovery.kubernetes.endpoints import endpoint_slice_group, endpoints_group
from collector.discovery.kubernetes.labels import Lookup
from collector.discovery.kubernetes.pods import pod_group
from collector.discovery.kubernetes.resources import (
    ENDPOINT_SLICES,
    ENDPOINTS,
    INGRESSES,
    JOBS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICES,
    Resource,
)
from collector.discovery.kubernetes.services import ingress_group, node_group, service_group
from collector.discovery_config import KubernetesMetadata, KubernetesRole
from collector.target import TargetGroup


class Build(Protocol):
    """Makes the target group of an object of the role's kind."""

    def __call__(self, item: Any, lookup: Lookup, attach: KubernetesMetadata, /) -> TargetGroup: ...


@dataclass(frozen=True)
class Role:
    """A group is made of each object of `primary`; the objects of `related` lend their labels."""

    primary: Resource[Any]
    build: Build
    related: tuple[Resource[Any], ...] = ()


ROLES: Final[Mapping[KubernetesRole, Role]] = {
    "pod": Role(PODS, pod_group),
    "endpoints": Role(ENDPOINTS, endpoints_group, (SERVICES, PODS)),
    "endpointslice": Role(ENDPOINT_SLICES, endpoint_slice_group, (SERVICES, PODS)),
    "service": Role(SERVICES, service_group),
    "ingress": Role(INGRESSES, ingress_group),
    "node": Role(NODES, node_group),
}

ROLE_OF_PLURAL: Final[Mapping[str, KubernetesRole]] = {
    role.primary.plural: name for name, role in ROLES.items()
}
CLUSTER_WIDE: Final = (NODES, NAMESPACES)


def watched(name: KubernetesRole, attach: KubernetesMetadata) -> Iterator[Resource[Any]]:
    """All kinds that a discovery needs."""
    role = ROLES[name]
    yield role.primary
    yield from role.related
    if attach.namespace and role.primary is not NODES:
        yield NAMESPACES
    if PODS in (role.primary, *role.related):
        for wanted, resource in (
            (attach.node, NODES),
            (attach.deployment, REPLICA_SETS),
            (attach.cronjob, JOBS),
        ):
            if wanted:
                yield resource
