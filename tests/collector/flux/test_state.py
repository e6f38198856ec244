"""Objects of Flux as samples; label names are those of Flux's example for kube-state-metrics."""

from typing import Any

import msgspec
import pytest

from collector.discovery.kubernetes.reflector import Change, Event
from collector.flux.kinds import KINDS
from collector.flux.objects import FluxObject
from collector.flux.state import FluxState
from tests.kubernetes_api.flux import READY_SINCE, flux_object
from tsdb import METRIC_NAME

READY_MS = 1_699_999_200_000
BY_NAME = {kind.name: kind for kind in KINDS}
KUSTOMIZATION = BY_NAME["Kustomization"]


def change(item: dict[str, Any], event: Event = Event.ADD) -> Change[FluxObject]:
    return Change(event, msgspec.convert(item, FluxObject))


def told(state: FluxState, name: str, now_ms: int = READY_MS) -> list[tuple[dict[str, str], float]]:
    """The series of a metric, without its name, and their values."""
    labels, values = state.samples(now_ms)
    found = zip(map(dict, labels), values.tolist(), strict=True)
    return [
        ({key: text for key, text in series.items() if key != METRIC_NAME}, value)
        for series, value in found
        if series[METRIC_NAME] == name
    ]


def state_of(kind: str, item: dict[str, Any], **options: bool) -> FluxState:
    state = FluxState(**options)
    state.take(BY_NAME[kind], "v1", [change(item)])
    return state


HELM_HISTORY = [{"chartVersion": "6.5.0", "chartName": "podinfo", "appVersion": "6.5"}, {"chartVersion": "1"}]
ARTIFACT = {"artifact": {"revision": "main@sha1:af"}}


@pytest.mark.parametrize(
    ("kind", "spec", "status", "expected"),
    [
        (
            "Kustomization",
            {"sourceRef": {"name": "apps"}},
            {"lastAppliedRevision": "main@sha1:af"},
            {"revision": "main@sha1:af", "source_name": "apps"},
        ),
        (
            "HelmRelease",
            {"chart": {"spec": {"chart": "x", "sourceRef": {"name": "charts"}}}},
            {"history": HELM_HISTORY},
            {
                "revision": "6.5.0",
                "chart_name": "podinfo",
                "chart_app_version": "6.5",
                "chart_source_name": "charts",
            },
        ),
        (
            "HelmRelease",
            {"chart": {"spec": {"chart": "podinfo"}}},
            {"lastAppliedRevision": "6.4.0", "history": []},
            {"revision": "6.4.0", "chart_name": "podinfo"},
        ),
        ("HelmRelease", {"chartRef": {"name": "oci"}}, {}, {"chart_ref_name": "oci"}),
        (
            "GitRepository",
            {"url": "https://git"},
            ARTIFACT,
            {"revision": "main@sha1:af", "url": "https://git"},
        ),
        ("OCIRepository", {"url": "oci://r"}, ARTIFACT, {"revision": "main@sha1:af", "url": "oci://r"}),
        ("HelmRepository", {"url": "https://h"}, ARTIFACT, {"revision": "main@sha1:af", "url": "https://h"}),
        (
            "Bucket",
            {"endpoint": "minio:9000", "bucketName": "b"},
            ARTIFACT,
            {"revision": "main@sha1:af", "endpoint": "minio:9000", "bucket_name": "b"},
        ),
        (
            "HelmChart",
            {"chart": "podinfo", "version": "6.*", "sourceRef": {"name": "charts"}},
            ARTIFACT,
            {
                "revision": "main@sha1:af",
                "chart_name": "podinfo",
                "chart_version": "6.*",
                "source_name": "charts",
            },
        ),
        ("ImageRepository", {"image": "ghcr.io/x"}, {}, {"image": "ghcr.io/x"}),
        ("ImagePolicy", {"imageRepositoryRef": {"name": "x"}}, {}, {"source_name": "x"}),
        ("ImageUpdateAutomation", {"sourceRef": {"name": "apps"}}, {}, {"source_name": "apps"}),
        ("Receiver", {}, {"webhookPath": "/hook/1"}, {"webhook_path": "/hook/1"}),
        ("Alert", {}, {}, {}),
        ("Provider", {}, {}, {}),
    ],
)
def test_resource_info_has_the_labels_of_the_kind(
    kind: str, spec: dict[str, Any], status: dict[str, Any], expected: dict[str, str]
) -> None:
    [(labels, value)] = told(
        state_of(kind, flux_object("web", spec=spec, status=status)), "gotk_resource_info"
    )
    common = {
        "customresource_group": BY_NAME[kind].group,
        "customresource_kind": kind,
        "customresource_version": "v1",
        "exported_namespace": "flux-system",
        "name": "web",
        "ready": "True",
    }
    assert (labels, value) == ({**common, **expected}, 1.0)


@pytest.mark.parametrize(("suspend", "expected"), [(True, "true"), (False, "false"), (None, None)])
def test_suspended_is_told_where_the_object_says_it(suspend: bool | None, expected: str | None) -> None:
    spec = {} if suspend is None else {"suspend": suspend}
    [(labels, _)] = told(state_of("Kustomization", flux_object("web", spec=spec)), "gotk_resource_info")
    assert labels.get("suspended") == expected


def test_object_that_no_controller_has_seen_is_not_ready() -> None:
    [(labels, _)] = told(state_of("Bucket", {"metadata": {"name": "new"}}), "gotk_resource_info")
    assert "ready" not in labels


@pytest.mark.parametrize("status", [{"conditions": None}, {"conditions": ["x"]}, {"conditions": {"a": 1}}])
def test_status_of_an_unexpected_shape_is_no_condition(status: dict[str, Any]) -> None:
    item = {"metadata": {"name": "odd"}, "status": status}
    [(labels, _)] = told(state_of("Bucket", item), "gotk_resource_info")
    assert "ready" not in labels


def test_condition_age_counts_from_its_last_transition() -> None:
    state = state_of("Kustomization", flux_object("web", ready="False", since=READY_SINCE))
    [(labels, value)] = told(state, "gotk_resource_condition_age_seconds", READY_MS + 90_500)
    assert value == 90.5
    assert labels == {
        "customresource_kind": "Kustomization",
        "exported_namespace": "flux-system",
        "name": "web",
        "type": "Ready",
        "status": "False",
    }


def test_condition_age_is_not_negative_where_clocks_differ() -> None:
    state = state_of("Kustomization", flux_object("web"))
    assert told(state, "gotk_resource_condition_age_seconds", READY_MS - 5000)[0][1] == 0.0


def test_unreadable_transition_time_has_no_age() -> None:
    state = state_of("Kustomization", flux_object("web", since="yesterday"))
    assert told(state, "gotk_resource_condition_age_seconds") == []


def test_revisions_are_counted_when_they_change() -> None:
    state = FluxState()
    for revision in ("a", "a", "b", "", "b", "c"):
        item = flux_object("web", status={"lastAppliedRevision": revision} if revision else {})
        state.take(KUSTOMIZATION, "v1", [change(item, Event.UPDATE)])
    [(labels, value)] = told(state, "gotk_resource_revision_changes_total")
    assert value == 2.0
    assert labels == {
        "customresource_kind": "Kustomization",
        "exported_namespace": "flux-system",
        "name": "web",
    }


def test_kind_without_revisions_counts_none() -> None:
    assert told(state_of("Alert", flux_object("web")), "gotk_resource_revision_changes_total") == []


def test_deleted_object_is_gone() -> None:
    state = state_of("Kustomization", flux_object("web"))
    state.take(KUSTOMIZATION, "v1", [change(flux_object("web"), Event.DELETE)])
    assert state.samples(READY_MS)[0] == []


def test_old_metrics_are_written_on_request_only() -> None:
    item = flux_object("web")
    assert told(state_of("Kustomization", item), "gotk_reconcile_condition") == []
    state = state_of("Kustomization", item, with_old_metrics=True)
    found = told(state, "gotk_reconcile_condition")
    assert {labels["status"]: value for labels, value in found} == {
        "True": 1.0,
        "False": 0.0,
        "Unknown": 0.0,
        "Deleted": 0.0,
    }
    assert found[0][0] == {
        "kind": "Kustomization",
        "name": "web",
        "namespace": "flux-system",
        "type": "Ready",
        "status": "True",
    }
    assert told(state, "gotk_suspend_status") == [
        ({"kind": "Kustomization", "name": "web", "namespace": "flux-system"}, 0.0)
    ]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"metadata": {"name": "new"}}, "Unknown"),
        (flux_object("web", ready="False"), "False"),
        ({"metadata": {"name": "web", "deletionTimestamp": READY_SINCE}}, "Deleted"),
    ],
)
def test_old_condition_has_one_status_at_a_time(item: dict[str, Any], expected: str) -> None:
    found = told(state_of("Bucket", item, with_old_metrics=True), "gotk_reconcile_condition")
    assert [labels["status"] for labels, value in found if value] == [expected]


def test_old_condition_is_absent_for_kinds_that_are_never_reconciled() -> None:
    state = state_of("Alert", {"metadata": {"name": "a"}}, with_old_metrics=True)
    assert told(state, "gotk_reconcile_condition") == []
