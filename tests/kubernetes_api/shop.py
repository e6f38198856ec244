"""A cluster with at least one object of each kind, and each oddity that discovery has to cope with."""

from tests.kubernetes_api.server import Json, KubernetesApi

SHOP = "shop"


def fill(api: KubernetesApi) -> None:
    """Put all of it into the API server."""
    for collection, items in OBJECTS.items():
        for item in items:
            api.put(collection, item)


def _meta(name: str, namespace: str = SHOP, **more: object) -> Json:
    return {"name": name, "uid": f"uid-{name}", **({"namespace": namespace} if namespace else {}), **more}


def _owned(kind: str, name: str) -> list[Json]:
    return [{"apiVersion": "v1", "kind": kind, "name": name, "uid": "u", "controller": True}]


def _backend(path: str) -> Json:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    return {"path": path, "pathType": "Prefix", "backend": backend}


_WEB: Json = {
    "metadata": _meta(
        "web-1",
        labels={"app": "web", "app.kubernetes.io/name": "web"},
        annotations={"prometheus.io/scrape": "true", "empty": ""},
        ownerReferences=_owned("ReplicaSet", "web-5d"),
    ),
    "spec": {
        "nodeName": "node-1",
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "ports": [
                    {"name": "http", "containerPort": 8080, "protocol": "TCP"},
                    {"name": "dns", "containerPort": 5353, "protocol": "UDP"},
                ],
            },
            {"name": "sidecar", "image": "sidecar:2"},
        ],
        "initContainers": [
            {"name": "init", "image": "init:3", "ports": [{"containerPort": 9000, "protocol": "TCP"}]}
        ],
    },
    "status": {
        "phase": "Running",
        "podIP": "10.1.0.1",
        "hostIP": "10.0.0.1",
        "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [{"name": "web", "containerID": "containerd://web"}],
        "initContainerStatuses": [{"name": "init", "containerID": "containerd://init"}],
    },
}
_SIX: Json = {
    "metadata": _meta("six-1", ownerReferences=_owned("Job", "nightly-28")),
    "spec": {
        "nodeName": "node-2",
        "containers": [{"name": "six", "image": "six", "ports": [{"containerPort": 80, "protocol": "TCP"}]}],
    },
    "status": {"phase": "Succeeded", "podIP": "fd00::6", "hostIP": "10.0.0.2"},
}
_PENDING: Json = {
    "metadata": _meta("pending-1"),
    "spec": {"containers": [{"name": "c", "image": "c"}]},
    "status": {"phase": "Pending"},
}
_TARGET_WEB: Json = {"kind": "Pod", "name": "web-1", "namespace": SHOP}
_TARGET_SIX: Json = {"kind": "Pod", "name": "six-1", "namespace": SHOP}

OBJECTS: dict[str, list[Json]] = {
    "api/v1/namespaces": [{"metadata": _meta(SHOP, "", labels={"team": "a"}, annotations={"cost": "7"})}],
    "api/v1/nodes": [
        {
            "metadata": _meta("node-1", "", labels={"zone": "z1"}, annotations={"note": "n"}),
            "spec": {"providerID": "cloud://1"},
            "status": {
                "addresses": [
                    {"type": "Hostname", "address": "node-1.local"},
                    {"type": "ExternalIP", "address": "1.2.3.4"},
                    {"type": "InternalIP", "address": "10.0.0.1"},
                    {"type": "InternalIP", "address": "fd00::1"},
                ],
                "conditions": [
                    {"type": "Ready", "status": "True"},
                    {"type": "DiskPressure", "status": "Unknown"},
                ],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            },
        },
        {
            "metadata": _meta("node-2", ""),
            "spec": {},
            "status": {"addresses": [{"type": "Hostname", "address": "node-2"}]},
        },
        {"metadata": _meta("node-without-address", ""), "spec": {}, "status": {"addresses": None}},
    ],
    "api/v1/pods": [_WEB, _SIX, _PENDING],
    "api/v1/services": [
        {
            "metadata": _meta("web", labels={"app": "web"}, annotations={"a/b": "c"}),
            "spec": {
                "type": "LoadBalancer",
                "clusterIP": "10.96.0.7",
                "loadBalancerIP": "5.6.7.8",
                "ports": [
                    {"name": "http", "port": 80, "protocol": "TCP"},
                    {"name": "dns", "port": 53, "protocol": "UDP"},
                ],
            },
            "status": {"loadBalancer": {}},
        },
        {
            "metadata": _meta("outside"),
            "spec": {
                "type": "ExternalName",
                "externalName": "example.org",
                "ports": [{"port": 443, "protocol": "TCP"}],
            },
        },
        {
            "metadata": _meta("dual"),
            "spec": {
                "type": "ClusterIP",
                "clusterIP": "10.96.0.8",
                "ipFamilyPolicy": "SingleStack",
                "ipFamilies": ["IPv4"],
            },
        },
    ],
    "api/v1/endpoints": [
        {
            "metadata": _meta("web", labels={"app": "web"}, annotations={"e": "f"}),
            "subsets": [
                {
                    "addresses": [
                        {"ip": "10.1.0.1", "nodeName": "node-1", "targetRef": _TARGET_WEB},
                        {"ip": "10.9.9.9", "hostname": "bare"},
                    ],
                    "notReadyAddresses": [
                        {"ip": "fd00::6", "nodeName": "node-2", "targetRef": _TARGET_SIX},
                        {"ip": "10.0.0.1", "targetRef": {"kind": "Node", "name": "node-1"}},
                    ],
                    "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
                }
            ],
        },
        {"metadata": _meta("outside"), "subsets": None},
    ],
    "apis/discovery.k8s.io/v1/endpointslices": [
        {
            "metadata": _meta("web-abc", labels={"kubernetes.io/service-name": "web"}),
            "addressType": "IPv4",
            "endpoints": [
                {
                    "addresses": ["10.1.0.1"],
                    "conditions": {"ready": False, "serving": True, "terminating": True},
                    "nodeName": "node-1",
                    "targetRef": _TARGET_WEB,
                },
                {
                    "addresses": ["10.9.9.9"],
                    "conditions": {},
                    "hostname": "bare",
                    "deprecatedTopology": {"topology.kubernetes.io/region": "r1"},
                },
                {
                    "addresses": ["10.0.0.1"],
                    "conditions": {"ready": True},
                    "targetRef": {"kind": "Node", "name": "node-1"},
                },
            ],
            "ports": [
                {"name": "http", "port": 8080, "protocol": "TCP", "appProtocol": "http"},
                {"name": "", "port": 1, "protocol": "UDP"},
            ],
        },
        {"metadata": _meta("none"), "addressType": "FQDN", "endpoints": None, "ports": None},
    ],
    "apis/networking.k8s.io/v1/ingresses": [
        {
            "metadata": _meta("front", labels={"i": "j"}, annotations={"k": "l"}),
            "spec": {
                "ingressClassName": "nginx",
                "tls": [{"hosts": ["*.example.org", "plain.example.com"]}],
                "rules": [
                    {
                        "host": "shop.example.org",
                        "http": {"paths": [_backend("/"), _backend("/cart"), _backend("")]},
                    },
                    {"host": "a.b.example.org"},
                    {"host": "plain.example.com", "http": {"paths": [_backend("/x")]}},
                ],
            },
        }
    ],
    "apis/apps/v1/replicasets": [
        {"metadata": _meta("web-5d", ownerReferences=_owned("Deployment", "web"))},
    ],
    "apis/batch/v1/jobs": [{"metadata": _meta("nightly-28", ownerReferences=_owned("CronJob", "nightly"))}],
}
