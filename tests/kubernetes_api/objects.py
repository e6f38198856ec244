"""Objects as the API server sends them: of a cluster with Flux in it."""

from tests.kubernetes_api.server import Json

FLUX = "flux-system"


def flux_pod(controller: str, ip: str, port: int, *, suffix: str = "7d9f-x2k4q") -> Json:
    """A controller's pod as Flux v0 deployed it: two ports, and annotations that name one of them."""
    name = f"{controller}-{suffix}"
    return {
        "metadata": {
            "namespace": FLUX,
            "name": name,
            "uid": f"uid-{name}",
            "labels": {"app": controller, "pod-template-hash": "7d9f"},
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": str(port)},
            "managedFields": [{"manager": "kube-controller-manager"}],
            "ownerReferences": [
                {"kind": "ReplicaSet", "name": f"{controller}-7d9f", "controller": True, "uid": "1"}
            ],
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [
                {
                    "name": "manager",
                    "image": f"ghcr.io/fluxcd/{controller}:v1.2.3",
                    "ports": [
                        {"name": "http-prom", "containerPort": port, "protocol": "TCP"},
                        {"name": "healthz", "containerPort": 9440, "protocol": "TCP"},
                    ],
                }
            ],
        },
        "status": {
            "phase": "Running",
            "podIP": ip,
            "hostIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "manager", "containerID": "containerd://abc"}],
        },
    }


def kubernetes_endpoints(host: str, port: int) -> Json:
    """Where the API server itself is."""
    return {
        "metadata": {"namespace": "default", "name": "kubernetes"},
        "subsets": [
            {"addresses": [{"ip": host}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}
        ],
    }


def kubernetes_service() -> Json:
    return {
        "metadata": {"namespace": "default", "name": "kubernetes", "labels": {"component": "apiserver"}},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.96.0.1",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP"}],
        },
    }


def node(name: str = "node-1", ip: str = "10.0.0.1") -> Json:
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/arch": "amd64"}},
        "spec": {"providerID": f"kind://{name}"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        },
    }
