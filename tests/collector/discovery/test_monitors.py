"""What PodMonitor and ServiceMonitor objects make of the shop's pods and services.

Expected labels: those that the Prometheus Operator's generated configuration gives.
"""

from typing import Any

import pytest

from collector.config import GlobalConfig, ScrapeConfig
from collector.discovery.kubernetes.monitors import KINDS, jobs_of
from collector.discovery.kubernetes.objects import CustomObject, ObjectMeta
from collector.errors import DiscoveryError
from collector.http_config import TlsConfig
from collector.target import resolve
from tests.collector.discovery.clusters import FakeCluster

POD, SERVICE = KINDS
SELECTS_WEB = {"matchLabels": {"app": "web"}}


def monitor(kind: object, *endpoints: dict[str, Any], **spec: Any) -> CustomObject:
    key = "podMetricsEndpoints" if kind is POD else "endpoints"
    metadata = ObjectMeta(namespace="shop", name="m")
    return CustomObject(metadata=metadata, spec={"selector": SELECTS_WEB, key: [*endpoints], **spec})


def only_job(item: CustomObject) -> ScrapeConfig:
    [job] = jobs_of(POD if "podMetricsEndpoints" in (item.spec or {}) else SERVICE, item)
    return job.with_defaults(GlobalConfig())


def targets(item: CustomObject) -> dict[str, dict[str, str]]:
    """The labels of the targets by URL."""
    job = only_job(item)
    [discovery] = job.kubernetes_sd_configs
    groups = FakeCluster(discovery).groups.groups()
    return {target.url: dict(target.labels) for target in resolve(job, groups).active}


def test_pod_monitor_names_namespace_pod_container_and_endpoint() -> None:
    assert targets(monitor(POD, {"port": "http"})) == {
        "http://10.1.0.1:8080/metrics": {
            "job": "shop/m",
            "instance": "10.1.0.1:8080",
            "namespace": "shop",
            "pod": "web-1",
            "container": "web",
            "endpoint": "http",
        }
    }


def test_service_monitor_names_the_service_and_is_its_job() -> None:
    found = targets(monitor(SERVICE, {"port": "http", "path": "/m", "scheme": "HTTPS"}))
    assert found["https://10.1.0.1:8080/m"] == {
        "job": "web",
        "instance": "10.1.0.1:8080",
        "namespace": "shop",
        "service": "web",
        "pod": "web-1",
        "container": "web",
        "endpoint": "http",
    }
    assert found["https://10.0.0.1:8080/m"]["node"] == "node-1"
    assert "https://[fd00::6]:8080/m" not in found  # its pod has succeeded


def test_pods_that_ended_are_kept_on_request() -> None:
    found = targets(monitor(SERVICE, {"port": "http", "filterRunning": False}))
    assert "http://[fd00::6]:8080/metrics" in found


@pytest.mark.parametrize(
    ("endpoint", "urls"),
    [
        ({"port": "http"}, ["http://10.1.0.1:8080/metrics"]),
        ({"targetPort": 5353}, ["http://10.1.0.1:5353/metrics"]),
        ({"targetPort": "dns"}, ["http://10.1.0.1:5353/metrics"]),
        ({"portNumber": 9000}, ["http://10.1.0.1:9000/metrics"]),
        ({"port": "https"}, []),
    ],
)
def test_port_is_chosen_by_name_or_number(endpoint: dict[str, Any], urls: list[str]) -> None:
    assert list(targets(monitor(POD, endpoint))) == urls


def test_port_chosen_by_its_number_alone_has_no_label_endpoint() -> None:
    [labels] = targets(monitor(POD, {"portNumber": 9000})).values()
    assert "endpoint" not in labels
    [labels] = targets(monitor(POD, {"targetPort": 5353})).values()
    assert labels["endpoint"] == "5353"


@pytest.mark.parametrize(
    ("expression", "is_selected"),
    [
        ({"key": "app", "operator": "In", "values": ["web", "other"]}, True),
        ({"key": "app", "operator": "In", "values": ["other"]}, False),
        ({"key": "app", "operator": "NotIn", "values": ["web"]}, False),
        ({"key": "app", "operator": "NotIn", "values": ["other"]}, True),
        ({"key": "missing", "operator": "NotIn", "values": ["x"]}, True),
        ({"key": "app.kubernetes.io/name", "operator": "Exists"}, True),
        ({"key": "missing", "operator": "Exists"}, False),
        ({"key": "app", "operator": "DoesNotExist"}, False),
        ({"key": "missing", "operator": "DoesNotExist"}, True),
    ],
)
def test_label_conditions_select_pods(expression: dict[str, Any], is_selected: bool) -> None:
    item = monitor(POD, {"port": "http"}, selector={"matchExpressions": [expression]})
    assert bool(targets(item)) is is_selected


def test_labels_of_pod_and_service_are_copied_where_they_have_a_value() -> None:
    item = monitor(
        SERVICE,
        {"port": "http"},
        jobLabel="app",
        targetLabels=["app", "missing"],
        podTargetLabels=["app.kubernetes.io/name"],
    )
    labels = targets(item)["http://10.1.0.1:8080/metrics"]
    assert (labels["app"], labels["app_kubernetes_io_name"]) == ("web", "web")
    assert "missing" not in labels
    assert labels["job"] == "web"


def test_own_relabelings_come_last() -> None:
    rules = [
        {"sourceLabels": ["__meta_kubernetes_pod_name"], "targetLabel": "instance", "action": "Replace"},
        {"action": "labeldrop", "regex": "container|endpoint"},
    ]
    [labels] = targets(monitor(POD, {"port": "http", "relabelings": rules})).values()
    assert labels == {"job": "shop/m", "instance": "web-1", "namespace": "shop", "pod": "web-1"}


def test_settings_of_an_endpoint_are_those_of_the_job() -> None:
    job = only_job(
        monitor(
            POD,
            {
                "port": "http",
                "interval": "15s",
                "scrapeTimeout": "5s",
                "params": {"match[]": ["a", "b"]},
                "honorLabels": True,
                "honorTimestamps": False,
                "proxyUrl": "http://proxy:3128",
                "followRedirects": False,
                "tlsConfig": {"insecureSkipVerify": True, "serverName": "web", "ca": {}},
                "metricRelabelings": [{"action": "drop", "sourceLabels": ["__name__"], "regex": "go_.*"}],
            },
            sampleLimit=1000,
            bodySizeLimit="10MB",
            scrapeProtocols=["PrometheusText0.0.4"],
            attachMetadata={"node": True},
        )
    )
    assert job.job_name == "podMonitor/shop/m/0"
    assert (job.scrape_interval_ms, job.scrape_timeout_ms) == (15_000, 5_000)
    assert job.params == {"match[]": ("a", "b")}
    assert (job.honor_labels, job.honor_timestamps) == (True, False)
    assert (job.http.proxy_url, job.http.follow_redirects) == ("http://proxy:3128", False)
    assert job.http.tls_config == TlsConfig(insecure_skip_verify=True, server_name="web")
    assert (job.sample_limit, job.body_size_limit_bytes) == (1000, 10 << 20)
    assert job.scrape_protocols == ("PrometheusText0.0.4",)
    [drop] = job.metric_relabel_configs
    assert (drop.action, drop.source_labels, drop.regex) == ("drop", ("__name__",), "go_.*")
    [discovery] = job.kubernetes_sd_configs
    assert discovery.attach_metadata.node


def test_settings_of_a_monitor_are_those_of_its_jobs() -> None:
    job = only_job(
        monitor(
            POD,
            {"port": "http", "proxyUrl": "http://proxy:3128", "noProxy": "10.0.0.0/8"},
            fallbackScrapeProtocol="PrometheusText1.0.0",
            scrapeNativeHistograms=True,
            scrapeClassicHistograms=True,
            nativeHistogramBucketLimit=160,
            nativeHistogramMinBucketFactor="1100m",
            convertClassicHistogramsToNHCB=True,
        )
    )
    assert job.fallback_scrape_protocol == "PrometheusText1.0.0"
    assert (job.scrape_native_histograms, job.always_scrape_classic_histograms) == (True, True)
    assert (job.native_histogram_bucket_limit, job.native_histogram_min_bucket_factor) == (160, 1.1)
    assert job.convert_classic_histograms_to_nhcb
    assert job.http.no_proxy == "10.0.0.0/8"


@pytest.mark.parametrize(("quantity", "number"), [("1.1", 1.1), (2, 2.0), (1.5, 1.5), ("2", 2.0)])
def test_smallest_factor_is_a_quantity(quantity: str | float, number: float) -> None:
    job = only_job(monitor(POD, {"port": "http"}, nativeHistogramMinBucketFactor=quantity))
    assert job.native_histogram_min_bucket_factor == number


def test_service_monitor_finds_the_same_targets_in_endpoint_slices() -> None:
    item = monitor(SERVICE, {"port": "http"})
    [slices] = only_job(
        monitor(SERVICE, {"port": "http"}, serviceDiscoveryRole="EndpointSlice")
    ).kubernetes_sd_configs
    assert slices.role == "endpointslice"
    found = targets(monitor(SERVICE, {"port": "http"}, serviceDiscoveryRole="EndpointSlice"))
    url = "http://10.1.0.1:8080/metrics"
    assert found[url] == targets(item)[url]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ({}, ("shop",)),
        ({"any": True}, ()),
        ({"matchNames": ["a", "b"]}, ("a", "b")),
    ],
)
def test_namespaces_are_the_monitors_own_unless_it_says_otherwise(
    selector: dict[str, Any], names: tuple[str, ...]
) -> None:
    [discovery] = only_job(monitor(POD, {}, namespaceSelector=selector)).kubernetes_sd_configs
    assert discovery.namespaces.names == names


@pytest.mark.parametrize(
    ("endpoint", "key"),
    [
        ({"basicAuth": {"username": {"name": "s", "key": "u"}}}, "basicAuth"),
        ({"bearerTokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token"}, "bearerTokenFile"),
        ({"tlsConfig": {"keySecret": {"name": "s", "key": "k"}}}, "tlsConfig.keySecret"),
    ],
)
def test_monitor_that_needs_secrets_is_refused_by_name(endpoint: dict[str, Any], key: str) -> None:
    with pytest.raises(DiscoveryError, match=f'serviceMonitor shop/m: "{key}" is not supported by miniprom'):
        jobs_of(SERVICE, monitor(SERVICE, endpoint))


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"interval": "soon"}, "soon"),
        ({"relabelings": [{"action": "explode"}]}, "unknown relabel action"),
        ({"params": {"a": "b"}}, "Expected `array`"),
        ({"scheme": "ftp"}, "Invalid enum value 'ftp'"),
        ({"noProxy": "a"}, "proxy_url must also be configured"),
    ],
)
def test_broken_monitor_is_told_by_its_name(endpoint: dict[str, Any], message: str) -> None:
    with pytest.raises(DiscoveryError, match=f"podMonitor shop/m: .*{message}"):
        jobs_of(POD, monitor(POD, endpoint))
