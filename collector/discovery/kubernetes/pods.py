"""Role pod: a target for each port of each container, or for a container without ports. Pure."""

from collections.abc import Iterator

from collector.discovery.kubernetes.labels import (
    META,
    NAMESPACE,
    LabelSet,
    Lookup,
    host_port,
    meta_bool,
    namespace_labels,
    node_labels,
    object_labels,
)
from collector.discovery.kubernetes.objects import Container, ContainerPort, Pod
from collector.discovery.kubernetes.resources import JOBS, NODES, REPLICA_SETS
from collector.discovery_config import KubernetesMetadata
from collector.target import ADDRESS, TargetGroup


def pod_group(pod: Pod, lookup: Lookup, attach: KubernetesMetadata) -> TargetGroup:
    """The targets of a pod; none while it has no address, or when its node is not selected."""
    source = f"pod/{pod.metadata.key}"
    namespace, node_name = pod.metadata.namespace, pod.spec.node_name
    if not pod.status.pod_ip or (attach.node and not lookup.get(NODES, node_name)):
        return TargetGroup((), {}, source)
    labels = {**pod_labels(pod, lookup, attach), NAMESPACE: namespace}
    if attach.node:
        labels |= node_labels(lookup, node_name)
    if attach.namespace:
        labels |= namespace_labels(lookup, namespace)
    return TargetGroup(tuple(_targets(pod)), labels, source)


def pod_labels(pod: Pod, lookup: Lookup, attach: KubernetesMetadata) -> LabelSet:
    """What every target of a pod carries."""
    spec, status = pod.spec, pod.status
    labels = {
        META + "pod_ip": status.pod_ip,
        META + "pod_ready": _ready(pod),
        META + "pod_phase": status.phase,
        META + "pod_node_name": spec.node_name,
        META + "pod_host_ip": status.host_ip,
        META + "pod_uid": pod.metadata.uid,
        **object_labels(pod.metadata, "pod"),
    }
    controller = pod.metadata.controller
    if controller:
        labels[META + "pod_controller_kind"] = controller.kind
        labels[META + "pod_controller_name"] = controller.name
        labels |= _higher_owner(
            controller.kind, f"{pod.metadata.namespace}/{controller.name}", lookup, attach
        )
    return labels


def containers(pod: Pod) -> Iterator[tuple[Container, bool]]:
    """The containers, and after them the init containers; whether it is one of those."""
    for container in pod.spec.containers or ():
        yield container, False
    for container in pod.spec.init_containers or ():
        yield container, True


def port_labels(container: Container, is_init: bool, port: ContainerPort) -> LabelSet:
    """What tells the ports of a pod apart."""
    return {
        META + "pod_container_name": container.name,
        META + "pod_container_image": container.image,
        META + "pod_container_init": meta_bool(is_init),
        META + "pod_container_port_name": port.name,
        META + "pod_container_port_number": str(port.container_port),
        META + "pod_container_port_protocol": port.protocol,
    }


def _targets(pod: Pod) -> Iterator[LabelSet]:
    status, ip = pod.status, pod.status.pod_ip
    statuses = {False: status.container_statuses, True: status.init_container_statuses}
    for container, is_init in containers(pod):
        ids = {found.name: found.container_id for found in statuses[is_init] or ()}
        container_id = {META + "pod_container_id": ids.get(container.name, "")}
        for port in container.ports or ():
            address = host_port(ip, port.container_port)
            yield {ADDRESS: address, **container_id, **port_labels(container, is_init, port)}
        if not container.ports:
            yield {
                ADDRESS: ip,
                **container_id,
                META + "pod_container_name": container.name,
                META + "pod_container_image": container.image,
                META + "pod_container_init": meta_bool(is_init),
            }


def _ready(pod: Pod) -> str:
    for condition in pod.status.conditions or ():
        if condition.type == "Ready":
            return condition.status.lower()
    return "unknown"


def _higher_owner(kind: str, key: str, lookup: Lookup, attach: KubernetesMetadata) -> LabelSet:
    """The Deployment behind a ReplicaSet, the Job, and the CronJob behind it."""
    labels = {}
    if kind == "ReplicaSet" and attach.deployment:
        replica_set = lookup.get(REPLICA_SETS, key)
        owner = replica_set.metadata.controller if replica_set else None
        if owner and owner.kind == "Deployment":
            labels[META + "pod_deployment_name"] = owner.name
    if kind == "Job" and attach.job:
        labels[META + "pod_job_name"] = key.partition("/")[2]
    if kind == "Job" and attach.cronjob:
        job = lookup.get(JOBS, key)
        owner = job.metadata.controller if job else None
        if owner and owner.kind == "CronJob":
            labels[META + "pod_cronjob_name"] = owner.name
    return labels
