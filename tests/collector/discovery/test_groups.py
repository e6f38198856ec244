"""What is rebuilt when an object changes, and what stays the same object."""

import copy

from collector.discovery.kubernetes.reflector import Selector
from collector.discovery_config import (
    KubernetesConfig,
    KubernetesMetadata,
    KubernetesNamespaces,
    KubernetesSelector,
)
from collector.target import TargetGroup
from tests.collector.discovery.clusters import FORBIDDEN, FakeCluster
from tests.kubernetes_api.server import Json
from tests.kubernetes_api.shop import OBJECTS

PODS = OBJECTS["api/v1/pods"]


def sources(groups: list[TargetGroup]) -> dict[str, int]:
    """Each group by what tells whether it is the same object."""
    return {group.source: id(group) for group in groups}


def changed(item: Json, **labels: str) -> Json:
    """The object with other labels."""
    item = copy.deepcopy(item)
    item["metadata"]["labels"] = labels
    return item


def test_only_the_group_of_a_changed_object_is_another() -> None:
    cluster = FakeCluster(KubernetesConfig(role="pod"))
    kept = cluster.groups.groups()
    assert cluster.event("MODIFIED", "pods", changed(PODS[0], app="other"))
    after = sources(cluster.groups.groups())
    assert after["pod/shop/six-1"] == sources(kept)["pod/shop/six-1"]
    assert after["pod/shop/web-1"] != sources(kept)["pod/shop/web-1"]


def test_change_that_targets_do_not_show_leaves_the_group_as_it_is() -> None:
    cluster = FakeCluster(KubernetesConfig(role="pod"))
    before = cluster.groups.groups()
    cluster.event("MODIFIED", "pods", PODS[0])
    assert sources(cluster.groups.groups()) == sources(before)


def test_group_goes_with_its_object() -> None:
    cluster = FakeCluster(KubernetesConfig(role="pod"))
    cluster.groups.groups()
    cluster.event("DELETED", "pods", PODS[0])
    assert set(sources(cluster.groups.groups())) == {"pod/shop/six-1"}


def test_change_of_a_pod_reaches_the_endpoints_in_front_of_it() -> None:
    cluster = FakeCluster(KubernetesConfig(role="endpoints"))
    cluster.groups.groups()
    assert cluster.event("MODIFIED", "pods", changed(PODS[0], app="other"))
    [group] = cluster.groups.groups()
    assert group.targets[0]["__meta_kubernetes_pod_label_app"] == "other"


def test_pod_that_nobody_speaks_of_is_no_news_for_endpoints() -> None:
    cluster = FakeCluster(KubernetesConfig(role="endpoints"))
    cluster.groups.groups()
    assert not cluster.event("MODIFIED", "pods", changed(PODS[2], app="other"))


def test_object_that_was_missing_is_noticed_when_it_comes() -> None:
    without_pods = {name: items for name, items in OBJECTS.items() if name != "api/v1/pods"}
    cluster = FakeCluster(KubernetesConfig(role="endpoints"), without_pods)
    [group] = cluster.groups.groups()
    assert "__meta_kubernetes_pod_name" not in group.targets[0]
    assert cluster.event("ADDED", "pods", PODS[0])
    [group] = cluster.groups.groups()
    assert group.targets[0]["__meta_kubernetes_pod_name"] == "web-1"


def test_pods_of_nodes_that_are_not_selected_are_no_targets() -> None:
    attach = KubernetesMetadata(node=True)
    config = KubernetesConfig(
        role="pod",
        attach_metadata=attach,
        selectors=(KubernetesSelector(role="node", label="zone=z1"),),
    )
    cluster = FakeCluster(config, {**OBJECTS, "api/v1/nodes": OBJECTS["api/v1/nodes"][:1]})
    selectors = {r.resource.plural: r.selector for r in cluster.groups.reflectors}
    assert selectors == {"pods": Selector(), "nodes": Selector(label="zone=z1")}
    assert set(sources(cluster.groups.groups())) == {"pod/shop/web-1"}


def test_slice_of_the_second_family_of_a_service_is_no_target() -> None:
    service = copy.deepcopy(OBJECTS["api/v1/services"][0])
    service["spec"] |= {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6", "IPv4"]}
    cluster = FakeCluster(KubernetesConfig(role="endpointslice"), {**OBJECTS, "api/v1/services": [service]})
    assert cluster.groups.groups() == []


def test_namespace_that_cannot_be_listed_does_not_hold_up_the_others() -> None:
    names = KubernetesNamespaces(names=("shop", FORBIDDEN))
    attach = KubernetesMetadata(node=True)
    cluster = FakeCluster(KubernetesConfig(role="pod", namespaces=names, attach_metadata=attach))
    assert set(sources(cluster.groups.groups())) == {"pod/shop/web-1", "pod/shop/six-1"}
    [forbidden] = [r for r in cluster.groups.reflectors if r.namespace == FORBIDDEN]
    assert cluster.list(forbidden)
    assert len(cluster.groups.groups()) == 2


def test_no_group_is_made_before_all_that_it_needs_was_listed() -> None:
    names = KubernetesNamespaces(names=(FORBIDDEN,))
    pods = [{**PODS[0], "metadata": {**PODS[0]["metadata"], "namespace": FORBIDDEN}}]
    objects = {"api/v1/pods": pods, "api/v1/nodes": OBJECTS["api/v1/nodes"]}
    attach = KubernetesMetadata(deployment=True)
    cluster = FakeCluster(KubernetesConfig(role="pod", namespaces=names, attach_metadata=attach), objects)
    pod_copy, replica_sets = cluster.groups.reflectors
    assert not cluster.list(pod_copy)
    assert cluster.groups.groups() == []
    assert cluster.list(replica_sets)
    assert set(sources(cluster.groups.groups())) == {"pod/forbidden/web-1"}
