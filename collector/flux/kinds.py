"""The kinds of objects that Flux reconciles, and what `gotk_resource_info` tells of each.

Label names are those of the kube-state-metrics configuration in Flux's monitoring example, so that its
dashboards and alerts hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

FieldPath: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class FluxKind:
    """A custom resource kind. `labels` says where a label's value stands: at the first path that has one."""

    group: str
    name: str
    plural: str
    labels: Mapping[str, tuple[FieldPath, ...]] = field(hash=False)
    has_ready: bool = True
    """Whether the controllers report a Ready condition."""


def _labels(**paths: str) -> dict[str, tuple[FieldPath, ...]]:
    return {name: tuple(tuple(path.split(".")) for path in text.split()) for name, text in paths.items()}


_APPLIED: Final = "status.lastAppliedRevision"
_ARTIFACT: Final = "status.artifact.revision"
_KUSTOMIZE: Final = "kustomize.toolkit.fluxcd.io"
_HELM: Final = "helm.toolkit.fluxcd.io"
_SOURCE: Final = "source.toolkit.fluxcd.io"
_NOTIFICATION: Final = "notification.toolkit.fluxcd.io"
_IMAGE: Final = "image.toolkit.fluxcd.io"

KINDS: Final = (
    FluxKind(
        _KUSTOMIZE,
        "Kustomization",
        "kustomizations",
        _labels(revision=_APPLIED, source_name="spec.sourceRef.name"),
    ),
    FluxKind(
        _HELM,
        "HelmRelease",
        "helmreleases",
        _labels(
            # Helm releases of v2 have a history; those before had the applied revision.
            revision=f"status.history.0.chartVersion {_APPLIED}",
            chart_name="status.history.0.chartName spec.chart.spec.chart",
            chart_app_version="status.history.0.appVersion",
            chart_ref_name="spec.chartRef.name",
            chart_source_name="spec.chart.spec.sourceRef.name",
        ),
    ),
    FluxKind(_SOURCE, "GitRepository", "gitrepositories", _labels(revision=_ARTIFACT, url="spec.url")),
    FluxKind(_SOURCE, "OCIRepository", "ocirepositories", _labels(revision=_ARTIFACT, url="spec.url")),
    FluxKind(
        _SOURCE,
        "Bucket",
        "buckets",
        _labels(revision=_ARTIFACT, endpoint="spec.endpoint", bucket_name="spec.bucketName"),
    ),
    FluxKind(_SOURCE, "HelmRepository", "helmrepositories", _labels(revision=_ARTIFACT, url="spec.url")),
    FluxKind(
        _SOURCE,
        "HelmChart",
        "helmcharts",
        _labels(
            revision=_ARTIFACT,
            chart_name="spec.chart",
            chart_version="spec.version",
            source_name="spec.sourceRef.name",
        ),
    ),
    FluxKind(_IMAGE, "ImageRepository", "imagerepositories", _labels(image="spec.image")),
    FluxKind(_IMAGE, "ImagePolicy", "imagepolicies", _labels(source_name="spec.imageRepositoryRef.name")),
    FluxKind(
        _IMAGE,
        "ImageUpdateAutomation",
        "imageupdateautomations",
        _labels(revision="status.lastPushCommit", source_name="spec.sourceRef.name"),
    ),
    FluxKind(_NOTIFICATION, "Receiver", "receivers", _labels(webhook_path="status.webhookPath")),
    FluxKind(_NOTIFICATION, "Alert", "alerts", {}, has_ready=False),
    FluxKind(_NOTIFICATION, "Provider", "providers", {}, has_ready=False),
)
