"""Which targets each role makes of the shop's objects, and their labels.

Expected values: upstream's configuration documentation, `kubernetes_sd_config`, and discovery/kubernetes.
"""

from tests.collector.discovery.clusters import discovered

WEB_POD = {
    "namespace": "shop",
    "pod_name": "web-1",
    "pod_ip": "10.1.0.1",
    "pod_host_ip": "10.0.0.1",
    "pod_node_name": "node-1",
    "pod_phase": "Running",
    "pod_ready": "false",
    "pod_uid": "uid-web-1",
    "pod_controller_kind": "ReplicaSet",
    "pod_controller_name": "web-5d",
    "pod_label_app": "web",
    "pod_labelpresent_app": "true",
    "pod_label_app_kubernetes_io_name": "web",
    "pod_labelpresent_app_kubernetes_io_name": "true",
    "pod_annotation_prometheus_io_scrape": "true",
    "pod_annotationpresent_prometheus_io_scrape": "true",
    "pod_annotationpresent_empty": "true",
}
WEB_HTTP = {
    "pod_container_name": "web",
    "pod_container_image": "web:1",
    "pod_container_init": "false",
    "pod_container_port_name": "http",
    "pod_container_port_number": "8080",
    "pod_container_port_protocol": "TCP",
}
WEB_SERVICE = {
    "service_name": "web",
    "service_label_app": "web",
    "service_labelpresent_app": "true",
    "service_annotation_a_b": "c",
    "service_annotationpresent_a_b": "true",
}


def by_address(targets: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {target.pop("__address__"): target for target in targets}


def test_pod_has_a_target_for_each_port_and_for_each_container_without_ports() -> None:
    groups = discovered("pod")
    assert set(groups) == {"pod/shop/web-1", "pod/shop/six-1"}
    targets = by_address(groups["pod/shop/web-1"])
    assert targets["10.1.0.1:8080"] == {
        **WEB_POD,
        **WEB_HTTP,
        "pod_container_id": "containerd://web",
    }
    assert targets["10.1.0.1:5353"]["pod_container_port_protocol"] == "UDP"
    assert targets["10.1.0.1"] == {
        **WEB_POD,
        "pod_container_name": "sidecar",
        "pod_container_image": "sidecar:2",
        "pod_container_init": "false",
    }
    init = targets["10.1.0.1:9000"]
    assert (init["pod_container_init"], init["pod_container_id"]) == ("true", "containerd://init")
    assert len(targets) == 4


def test_pod_without_ready_condition_is_unknown_and_ipv6_is_bracketed() -> None:
    [target] = discovered("pod")["pod/shop/six-1"]
    assert target["__address__"] == "[fd00::6]:80"
    assert target["pod_ready"] == "unknown"


def test_owners_of_a_pods_owner_are_attached_on_request() -> None:
    plain = discovered("pod")
    attached = discovered("pod", deployment=True, job=True, cronjob=True)
    assert "pod_deployment_name" not in plain["pod/shop/web-1"][0]
    assert attached["pod/shop/web-1"][0]["pod_deployment_name"] == "web"
    assert attached["pod/shop/six-1"][0]["pod_job_name"] == "nightly-28"
    assert attached["pod/shop/six-1"][0]["pod_cronjob_name"] == "nightly"


def test_node_and_namespace_are_attached_on_request() -> None:
    [target, *_] = discovered("pod", node=True, namespace=True)["pod/shop/web-1"]
    added = {
        "node_name": "node-1",
        "node_label_zone": "z1",
        "node_labelpresent_zone": "true",
        "node_annotation_note": "n",
        "node_annotationpresent_note": "true",
        "namespace_label_team": "a",
        "namespace_labelpresent_team": "true",
        "namespace_annotation_cost": "7",
        "namespace_annotationpresent_cost": "true",
    }
    assert added.items() <= target.items()


def test_endpoints_have_labels_of_service_pod_and_port() -> None:
    groups = discovered("endpoints")
    assert set(groups) == {"endpoints/shop/web"}
    targets = by_address(groups["endpoints/shop/web"])
    endpoints = {
        **WEB_SERVICE,
        "namespace": "shop",
        "endpoints_name": "web",
        "endpoints_label_app": "web",
        "endpoints_labelpresent_app": "true",
        "endpoints_annotation_e": "f",
        "endpoints_annotationpresent_e": "true",
    }
    port = {"endpoint_port_name": "http", "endpoint_port_protocol": "TCP"}
    assert targets["10.1.0.1:8080"] == {
        **endpoints,
        **port,
        **WEB_POD,
        **WEB_HTTP,
        "endpoint_ready": "true",
        "endpoint_node_name": "node-1",
        "endpoint_address_target_kind": "Pod",
        "endpoint_address_target_name": "web-1",
    }
    assert targets["10.9.9.9:8080"] == {
        **endpoints,
        **port,
        "endpoint_ready": "true",
        "endpoint_hostname": "bare",
    }
    assert targets["[fd00::6]:8080"]["endpoint_ready"] == "false"
    assert targets["[fd00::6]:8080"]["pod_name"] == "six-1"
    assert targets["10.0.0.1:8080"]["endpoint_address_target_kind"] == "Node"


def test_container_ports_that_a_service_does_not_serve_are_targets_too() -> None:
    targets = by_address(discovered("endpoints")["endpoints/shop/web"])
    served = {"10.1.0.1:8080", "10.9.9.9:8080", "[fd00::6]:8080", "10.0.0.1:8080"}
    others = {address: target for address, target in targets.items() if address not in served}
    assert set(others) == {"10.1.0.1:5353", "10.1.0.1:9000", "[fd00::6]:80"}
    assert "endpoint_ready" not in others["10.1.0.1:5353"]
    assert others["10.1.0.1:5353"]["service_name"] == "web"
    assert others["10.1.0.1:9000"]["pod_container_init"] == "true"


def test_node_of_an_endpoint_is_that_of_the_address_or_the_target_itself() -> None:
    targets = by_address(discovered("endpoints", node=True)["endpoints/shop/web"])
    assert targets["10.1.0.1:8080"]["node_name"] == "node-1"
    assert targets["10.0.0.1:8080"]["node_label_zone"] == "z1"
    assert "node_name" not in targets["10.9.9.9:8080"]


def test_endpoint_slice_has_conditions_ports_and_topology() -> None:
    groups = discovered("endpointslice")
    assert set(groups) == {"endpointslice/shop/web-abc"}
    targets = by_address(groups["endpointslice/shop/web-abc"])
    shared = {
        **WEB_SERVICE,
        "namespace": "shop",
        "endpointslice_name": "web-abc",
        "endpointslice_address_type": "IPv4",
        "endpointslice_label_kubernetes_io_service_name": "web",
        "endpointslice_labelpresent_kubernetes_io_service_name": "true",
        "endpointslice_port": "8080",
        "endpointslice_port_name": "http",
        "endpointslice_port_protocol": "TCP",
        "endpointslice_port_app_protocol": "http",
    }
    assert targets["10.1.0.1:8080"] == {
        **shared,
        **WEB_POD,
        **WEB_HTTP,
        "endpointslice_endpoint_conditions_ready": "false",
        "endpointslice_endpoint_conditions_serving": "true",
        "endpointslice_endpoint_conditions_terminating": "true",
        "endpointslice_endpoint_node_name": "node-1",
        "endpointslice_address_target_kind": "Pod",
        "endpointslice_address_target_name": "web-1",
    }
    assert targets["10.9.9.9:8080"] == {
        **shared,
        "endpointslice_endpoint_hostname": "bare",
        "endpointslice_endpoint_topology_topology_kubernetes_io_region": "r1",
        "endpointslice_endpoint_topology_present_topology_kubernetes_io_region": "true",
    }
    assert targets["10.9.9.9:1"]["endpointslice_port"] == "1"
    assert {"10.1.0.1:5353", "10.1.0.1:9000"} <= set(targets)


def test_service_has_a_target_for_each_port_at_its_dns_name() -> None:
    groups = discovered("service")
    assert set(groups) == {"svc/shop/web", "svc/shop/outside"}
    targets = by_address(groups["svc/shop/web"])
    assert targets["web.shop.svc:80"] == {
        **WEB_SERVICE,
        "namespace": "shop",
        "service_type": "LoadBalancer",
        "service_cluster_ip": "10.96.0.7",
        "service_loadbalancer_ip": "5.6.7.8",
        "service_port_name": "http",
        "service_port_number": "80",
        "service_port_protocol": "TCP",
    }
    assert targets["web.shop.svc:53"]["service_port_protocol"] == "UDP"
    [outside] = groups["svc/shop/outside"]
    assert outside["service_external_name"] == "example.org"
    assert "service_cluster_ip" not in outside


def test_ingress_has_a_target_for_each_path_and_knows_where_tls_is() -> None:
    [targets] = discovered("ingress").values()
    seen = [(t["ingress_scheme"], t["__address__"], t["ingress_path"]) for t in targets]
    assert seen == [
        ("https", "shop.example.org", "/"),
        ("https", "shop.example.org", "/cart"),
        ("https", "shop.example.org", "/"),
        ("http", "a.b.example.org", "/"),
        ("https", "plain.example.com", "/x"),
    ]
    assert targets[0] == {
        "__address__": "shop.example.org",
        "namespace": "shop",
        "ingress_name": "front",
        "ingress_class_name": "nginx",
        "ingress_host": "shop.example.org",
        "ingress_path": "/",
        "ingress_scheme": "https",
        "ingress_label_i": "j",
        "ingress_labelpresent_i": "true",
        "ingress_annotation_k": "l",
        "ingress_annotationpresent_k": "true",
    }


def test_node_is_its_kubelet_at_the_internal_address() -> None:
    groups = discovered("node")
    assert set(groups) == {"node/node-1", "node/node-2"}
    assert groups["node/node-1"] == [
        {
            "__address__": "10.0.0.1:10250",
            "instance": "node-1",
            "node_name": "node-1",
            "node_provider_id": "cloud://1",
            "node_address_Hostname": "node-1.local",
            "node_address_ExternalIP": "1.2.3.4",
            "node_address_InternalIP": "10.0.0.1",
            "node_condition_ready": "true",
            "node_condition_diskpressure": "unknown",
            "node_label_zone": "z1",
            "node_labelpresent_zone": "true",
            "node_annotation_note": "n",
            "node_annotationpresent_note": "true",
        }
    ]
    assert groups["node/node-2"][0]["__address__"] == "node-2:0"
