"""Facts about Flux's controllers: who reconciles what, and the bucket layouts of their histograms.

Sources: fluxcd/pkg runtime/metrics, controller-runtime pkg/internal/controller/metrics, client-go's metrics.
"""

from dataclasses import dataclass
from enum import Enum
from itertools import accumulate, repeat
from typing import Final


class Era(Enum):
    """Which metrics the controllers export about their objects.

    Until Flux 2.1 each controller exported `gotk_reconcile_condition`; since then kube-state-metrics
    derives `gotk_resource_info` from the objects.
    """

    V0 = "v0"
    V2 = "v2"


@dataclass(frozen=True)
class Kind:
    """A custom resource kind, and the `controller` label of its reconciler."""

    name: str
    group: str
    version: str

    @property
    def controller(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Controller:
    """A controller's deployment and the kinds that it reconciles."""

    name: str
    kinds: tuple[Kind, ...]


SOURCE_KINDS: Final = tuple(
    Kind(name, "source.toolkit.fluxcd.io", "v1")
    for name in ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket")
)

CONTROLLERS: Final = (
    Controller("source-controller", SOURCE_KINDS),
    Controller("kustomize-controller", (Kind("Kustomization", "kustomize.toolkit.fluxcd.io", "v1"),)),
    Controller("helm-controller", (Kind("HelmRelease", "helm.toolkit.fluxcd.io", "v2"),)),
    Controller(
        "notification-controller",
        (
            Kind("Alert", "notification.toolkit.fluxcd.io", "v1beta3"),
            Kind("Provider", "notification.toolkit.fluxcd.io", "v1beta3"),
            Kind("Receiver", "notification.toolkit.fluxcd.io", "v1"),
        ),
    ),
    Controller(
        "image-reflector-controller",
        (
            Kind("ImageRepository", "image.toolkit.fluxcd.io", "v1"),
            Kind("ImagePolicy", "image.toolkit.fluxcd.io", "v1"),
        ),
    ),
    Controller(
        "image-automation-controller",
        (Kind("ImageUpdateAutomation", "image.toolkit.fluxcd.io", "v1"),),
    ),
)

KINDS: Final = {kind.name: kind for controller in CONTROLLERS for kind in controller.kinds}


def exponential_buckets(start: float, factor: float, count: int) -> tuple[float, ...]:
    """Upper bounds by repeated multiplication, with the rounding that Go's client shows in `le`."""
    return tuple(accumulate(repeat(factor, count - 1), lambda bound, by: bound * by, initial=start))


GOTK_RECONCILE_BUCKETS: Final = exponential_buckets(10e-9, 10, 10)
WORKQUEUE_BUCKETS: Final = exponential_buckets(10e-9, 10, 12)
REST_LATENCY_BUCKETS: Final = exponential_buckets(0.001, 2, 10)
# fmt: off
CONTROLLER_RUNTIME_BUCKETS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
    1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 15.0, 20.0, 25.0,
    30.0, 40.0, 50.0, 60.0,
)
# fmt: on
GO_PAUSE_BUCKETS: Final = (
    6.4e-08,
    6.4e-07,
    7.168e-06,
    8.192e-05,
    0.000917504,
    0.010485760000000001,
    0.11744051200000001,
)

GO_MEMSTATS_GAUGES: Final = (
    "alloc",
    "buck_hash_sys",
    "gc_sys",
    "heap_alloc",
    "heap_idle",
    "heap_inuse",
    "heap_released",
    "heap_sys",
    "mcache_inuse",
    "mcache_sys",
    "mspan_inuse",
    "mspan_sys",
    "next_gc",
    "other_sys",
    "stack_inuse",
    "stack_sys",
    "sys",
)

GO_SIZE_BUCKETS: Final = (8.9, 24.9, 64.9, 128.9, 320.9, 704.9, 1536.9, 3200.9, 6528.9, 13568.9, 27264.9)

GO_RUNTIME_HISTOGRAMS: Final = {
    "go_gc_pauses_seconds": GO_PAUSE_BUCKETS,
    "go_sched_latencies_seconds": GO_PAUSE_BUCKETS,
    "go_sched_pauses_total_gc_seconds": GO_PAUSE_BUCKETS,
    "go_gc_heap_allocs_by_size_bytes": GO_SIZE_BUCKETS,
    "go_gc_heap_frees_by_size_bytes": GO_SIZE_BUCKETS,
}

GO_CPU_CLASSES: Final = (
    "gc_mark_assist", "gc_mark_dedicated", "gc_mark_idle", "gc_pause", "gc_total", "idle",
    "scavenge_assist", "scavenge_background", "scavenge_total", "total", "user",
)  # fmt: skip

GO_MEMORY_CLASSES: Final = (
    "heap_free", "heap_objects", "heap_released", "heap_stacks", "heap_unused", "metadata_mcache_free",
    "metadata_mcache_inuse", "metadata_mspan_free", "metadata_mspan_inuse", "metadata_other",
    "os_stacks", "other", "profiling_buckets", "total",
)  # fmt: skip

GO_GODEBUG_SETTINGS: Final = (
    "asynctimerchan", "execerrdot", "gocachehash", "gocachetest", "gocacheverify", "gotypesalias",
    "http2client", "http2server", "httplaxcontentlength", "httpmuxgo121", "httpservecontentkeepheaders",
    "installgoroot", "multipartmaxheaders", "multipartmaxparts", "multipathtcp", "netedns0", "panicnil",
    "randautoseed", "randseednop", "rsa1024min", "tarinsecurepath", "tls10server", "tls3des",
    "tlsmaxrsasize", "tlsrsakex", "tlsunsafeekm", "winreadlinkvolume", "winsymlink", "x509keypairleaf",
    "x509negativeserial", "x509rsacrt", "x509sha256skid", "x509usefallbackroots", "x509usepolicies",
    "zipinsecurepath",
)  # fmt: skip
