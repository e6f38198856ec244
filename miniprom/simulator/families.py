"""The cluster's state as metric families, under the names and labels of the real programs."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from miniprom.simulator.catalog import (
    GO_CPU_CLASSES,
    GO_GODEBUG_SETTINGS,
    GO_MEMORY_CLASSES,
    GO_MEMSTATS_GAUGES,
    GO_RUNTIME_HISTOGRAMS,
    Era,
)
from miniprom.simulator.cluster import Cluster, FluxObject, Histogram, Pod

CONDITION_STATUSES = ("True", "False", "Unknown", "Deleted")

Families = Iterator[Metric]


class _Families(Collector):
    """A prometheus_client collector around a function, so that the library renders what it yields."""

    def __init__(self, collect: Callable[[], Families]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        return self._collect()


def controller_registry(cluster: Cluster, pod: Pod, era: Era) -> CollectorRegistry:
    """What the controller of `pod` serves at `/metrics`."""

    def collect() -> Families:
        yield from _gotk(_objects_of(cluster, pod), era)
        yield from _controller_runtime(pod)
        yield from _workqueue(pod)
        yield from _rest_client(pod, era)
        yield from _process(cluster, pod)
        yield from _go(pod)

    return _registry(collect)


def kube_state_metrics_registry(cluster: Cluster) -> CollectorRegistry:
    """What kube-state-metrics serves of Flux's objects (`gotk_resource_info`)."""
    return _registry(lambda: iter([_resource_info(cluster.objects)]))


def cadvisor_registry(cluster: Cluster) -> CollectorRegistry:
    """The memory of the controllers' containers, as cAdvisor reports it."""

    def collect() -> Families:
        family = GaugeMetricFamily(
            "container_memory_working_set_bytes",
            "Current working set of the container in bytes.",
            labels=("container", "namespace", "pod"),
        )
        for pod in cluster.pods.values():
            family.add_metric(("manager", "flux-system", pod.name), 60e6 + _live_bytes(pod))
            family.add_metric(("POD", "flux-system", pod.name), 250e3)
        yield family

    return _registry(collect)


def _registry(collect: Callable[[], Families]) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(collect))
    return registry


def _objects_of(cluster: Cluster, pod: Pod) -> list[FluxObject]:
    return [item for item in cluster.objects if item.kind in pod.controller.kinds]


def _histogram(name: str, help_text: str, labels: Sequence[str] = ()) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, help_text, labels=labels)


def _add(family: HistogramMetricFamily, values: Sequence[str], histogram: Histogram) -> None:
    bounds = [*map(floatToGoString, histogram.bounds), "+Inf"]
    cumulative, buckets = 0, []
    for bound, count in zip(bounds, histogram.counts, strict=True):
        cumulative += count
        buckets.append((bound, cumulative))
    family.add_metric(values, buckets, histogram.sum)


def _gotk(objects: Sequence[FluxObject], era: Era) -> Families:
    durations = _histogram(
        "gotk_reconcile_duration_seconds",
        "The duration in seconds of a GitOps Toolkit resource reconciliation.",
        ("kind", "name", "namespace"),
    )
    for item in objects:
        _add(durations, (item.kind.name, item.name, item.namespace), item.durations)
    yield durations
    if era is Era.V0:
        yield _reconcile_condition(objects)
        suspended = GaugeMetricFamily(
            "gotk_suspend_status",
            "The current suspend status of a GitOps Toolkit resource.",
            labels=("kind", "name", "namespace"),
        )
        for item in objects:
            suspended.add_metric((item.kind.name, item.name, item.namespace), float(item.suspended))
        yield suspended


def _reconcile_condition(objects: Sequence[FluxObject]) -> Metric:
    family = GaugeMetricFamily(
        "gotk_reconcile_condition",
        "The current condition status of a GitOps Toolkit resource reconciliation.",
        labels=("kind", "name", "namespace", "status", "type"),
    )
    for item in objects:
        for status in CONDITION_STATUSES:
            labels = (item.kind.name, item.name, item.namespace, status, "Ready")
            family.add_metric(labels, float(status == str(item.ready)))
    return family


def _resource_info(objects: Sequence[FluxObject]) -> Metric:
    family = GaugeMetricFamily("gotk_resource_info", "The current state of a Flux resource.")
    for item in objects:
        labels = {
            "customresource_group": item.kind.group,
            "customresource_kind": item.kind.name,
            "customresource_version": item.kind.version,
            "exported_namespace": item.namespace,
            "name": item.name,
            "ready": str(item.ready),
            "suspended": "true" if item.suspended else "false",
            "revision": f"main@sha1:{item.revision:07x}",
        }
        family.samples.append(Sample(family.name, labels, 1.0))
    return family


def _controller_runtime(pod: Pod) -> Families:
    totals = CounterMetricFamily(
        "controller_runtime_reconcile",
        "Total number of reconciliations per controller",
        labels=("controller", "result"),
    )
    errors = CounterMetricFamily(
        "controller_runtime_reconcile_errors",
        "Total number of reconciliation errors per controller",
        labels=("controller",),
    )
    durations = _histogram(
        "controller_runtime_reconcile_time_seconds",
        "Length of time per reconciliation per controller",
        ("controller",),
    )
    workers = GaugeMetricFamily(
        "controller_runtime_max_concurrent_reconciles",
        "Maximum number of concurrent reconciles per controller",
        labels=("controller",),
    )
    active = GaugeMetricFamily(
        "controller_runtime_active_workers",
        "Number of currently used workers per controller",
        labels=("controller",),
    )
    for reconciler in pod.reconcilers.values():
        controller = reconciler.kind.controller
        for result in ("error", "requeue", "requeue_after", "success"):
            totals.add_metric((controller, result), reconciler.results[result])
        errors.add_metric((controller,), reconciler.results["error"])
        _add(durations, (controller,), reconciler.durations)
        workers.add_metric((controller,), 4)
        active.add_metric((controller,), 0)
    yield from (totals, errors, durations, workers, active)


def _workqueue(pod: Pod) -> Families:
    labels = ("controller", "name")
    adds = CounterMetricFamily("workqueue_adds", "Total number of adds handled by workqueue", labels=labels)
    retries = CounterMetricFamily(
        "workqueue_retries", "Total number of retries handled by workqueue", labels=labels
    )
    depth = GaugeMetricFamily("workqueue_depth", "Current depth of workqueue", labels=labels)
    unfinished = GaugeMetricFamily(
        "workqueue_unfinished_work_seconds", "Seconds of work in progress", labels=labels
    )
    longest = GaugeMetricFamily(
        "workqueue_longest_running_processor_seconds", "Age of the longest running processor", labels=labels
    )
    queued = _histogram("workqueue_queue_duration_seconds", "How long an item stays in workqueue", labels)
    worked = _histogram("workqueue_work_duration_seconds", "How long processing an item takes", labels)
    for reconciler in pod.reconcilers.values():
        values = (reconciler.kind.controller,) * 2
        adds.add_metric(values, reconciler.results.total())
        retries.add_metric(values, reconciler.results["error"])
        depth.add_metric(values, 0)
        unfinished.add_metric(values, 0)
        longest.add_metric(values, reconciler.longest_running_seconds)
        _add(queued, values, reconciler.queue_durations)
        _add(worked, values, reconciler.work_durations)
    yield from (adds, retries, depth, unfinished, longest, queued, worked)


def _rest_client(pod: Pod, era: Era) -> Families:
    requests = CounterMetricFamily(
        "rest_client_requests",
        "Number of HTTP requests, partitioned by status code, method, and host.",
        labels=("code", "host", "method"),
    )
    for (method, code), count in sorted(pod.requests.items()):
        requests.add_metric((code, "10.96.0.1:443", method), count)
    yield requests
    if era is Era.V0:
        latencies = _histogram(
            "rest_client_request_latency_seconds",
            "Request latency in seconds. Broken down by verb and URL.",
            ("verb",),
        )
        _add(latencies, ("GET",), pod.request_latencies)
        yield latencies


def _process(cluster: Cluster, pod: Pod) -> Families:
    yield CounterMetricFamily(
        "process_cpu_seconds", "Total user and system CPU time spent in seconds.", value=pod.cpu_seconds
    )
    gauges = {
        "process_max_fds": 1048576,
        "process_open_fds": 13,
        "process_resident_memory_bytes": 60e6 + _live_bytes(pod),
        "process_start_time_seconds": cluster.start_ms / 1000,
        "process_virtual_memory_bytes": 1.3e9,
        "process_virtual_memory_max_bytes": 1.8446744073709552e19,
    }
    for name, value in gauges.items():
        yield GaugeMetricFamily(name, name.replace("_", " ").capitalize(), value=value)


def _live_bytes(pod: Pod) -> float:
    """A saw-tooth between 10 and 30 MB, as a garbage-collected heap shows."""
    return 10e6 + pod.allocated_bytes % 20e6


def _go(pod: Pod) -> Families:
    live_bytes = _live_bytes(pod)
    pauses = SummaryMetricFamily("go_gc_duration_seconds", "A summary of the wall-time pause in GC cycles.")
    collections = int(pod.allocated_bytes / 20e6)
    for quantile in ("0", "0.25", "0.5", "0.75", "1"):
        pauses.add_sample("go_gc_duration_seconds", {"quantile": quantile}, 5e-05 * (1 + float(quantile)))
    pauses.add_metric((), collections, collections * 8e-05)
    yield pauses
    yield GaugeMetricFamily("go_goroutines", "Number of goroutines that currently exist.", value=150)
    info = GaugeMetricFamily("go_info", "Information about the Go environment.", labels=("version",))
    info.add_metric(("go1.24.4",), 1)
    yield info
    yield GaugeMetricFamily("go_threads", "Number of OS threads created.", value=14)
    yield CounterMetricFamily(
        "go_memstats_alloc_bytes", "Bytes allocated, even if freed.", value=pod.allocated_bytes
    )
    yield CounterMetricFamily(
        "go_memstats_mallocs", "Heap objects allocated.", value=pod.allocated_bytes // 90
    )
    yield CounterMetricFamily("go_memstats_frees", "Heap objects freed.", value=pod.allocated_bytes // 100)
    for number, name in enumerate(GO_MEMSTATS_GAUGES):
        value = live_bytes if name in ("alloc", "heap_alloc", "heap_inuse") else 1e6 + 65536 * number
        yield GaugeMetricFamily(f"go_memstats_{name}_bytes", f"Number of {name} bytes.", value=value)
    yield from _go_runtime(pod, live_bytes)


def _go_runtime(pod: Pod, live_bytes: float) -> Families:
    """The runtime/metrics part of Go's collector."""
    collections = int(pod.allocated_bytes / 20e6)
    for name in GO_CPU_CLASSES:
        seconds = pod.cpu_seconds / len(GO_CPU_CLASSES)
        yield CounterMetricFamily(f"go_cpu_classes_{name}_cpu_seconds", f"CPU time of {name}.", value=seconds)
    for number, name in enumerate(GO_MEMORY_CLASSES):
        value = live_bytes if name == "heap_objects" else 2e5 * number
        yield GaugeMetricFamily(f"go_memory_classes_{name}_bytes", f"Memory of {name}.", value=value)
    for name in GO_GODEBUG_SETTINGS:
        full_name = f"go_godebug_non_default_behavior_{name}_events"
        yield CounterMetricFamily(full_name, f"Non-default behaviors due to {name}.", value=0)
    for name, bounds in GO_RUNTIME_HISTOGRAMS.items():
        family = _histogram(name, "Distribution kept by the Go runtime.")
        histogram = Histogram(bounds)
        histogram.counts[3], histogram.sum = collections, collections * 8e-05
        _add(family, (), histogram)
        yield family
