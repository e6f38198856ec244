"""Flux's objects as samples. No I/O; time is a parameter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from collector.discovery.kubernetes.reflector import Change, Event
from collector.flux.kinds import FluxKind
from collector.flux.objects import FluxObject
from tsdb import METRIC_NAME, Labels, labels_from
from tsdb.sample import FloatArray

INFO: Final = "gotk_resource_info"
CONDITION_AGE: Final = "gotk_resource_condition_age_seconds"
REVISION_CHANGES: Final = "gotk_resource_revision_changes_total"
OLD_CONDITION: Final = "gotk_reconcile_condition"
OLD_SUSPEND: Final = "gotk_suspend_status"

_OLD_STATUSES: Final = ("True", "False", "Unknown", "Deleted")


@dataclass(frozen=True)
class _Entry:
    """The series of one object as it is now."""

    revision: str
    revision_changes: int
    constant: tuple[tuple[Labels, float], ...]
    changed: tuple[Labels, int] | None
    """The series of the condition's age, and when the condition last changed."""


class FluxState:
    """Objects come in as changes, and go out as one sample a series whenever they are asked for."""

    def __init__(self, *, with_old_metrics: bool = False) -> None:
        """`with_old_metrics`: also what Flux's controllers exported before 2.1."""
        self._with_old_metrics = with_old_metrics
        self._entries: dict[FluxKind, dict[str, _Entry]] = {}

    def take(self, kind: FluxKind, version: str, changes: Iterable[Change[FluxObject]]) -> None:
        """Objects of a kind, served by one version of its API, were changed."""
        entries = self._entries.setdefault(kind, {})
        for change in changes:
            key = change.object.metadata.key
            if change.event is Event.DELETE:
                entries.pop(key, None)
            else:
                entries[key] = self._entry(kind, version, change.object, entries.get(key))

    def forget(self, kind: FluxKind) -> None:
        """The API server does not serve the kind any more."""
        self._entries.pop(kind, None)

    def samples(self, now_ms: int) -> tuple[list[Labels], FloatArray]:
        """All series, and the value of each."""
        labels: list[Labels] = []
        values: list[float] = []
        for entry in (entry for entries in self._entries.values() for entry in entries.values()):
            for series, value in entry.constant:
                labels.append(series)
                values.append(value)
            if entry.changed:
                series, changed_ms = entry.changed
                labels.append(series)
                values.append(max(0, now_ms - changed_ms) / 1000)
        return labels, np.array(values, dtype=np.float64)

    def _entry(self, kind: FluxKind, version: str, item: FluxObject, before: _Entry | None) -> _Entry:
        info = _info(kind, version, item)
        identity = {key: info[key] for key in ("customresource_kind", "exported_namespace", "name")}
        revision = info.get("revision", "") or (before.revision if before else "")
        changes = before.revision_changes if before else 0
        if before and before.revision and revision != before.revision:
            changes += 1
        constant = [(_series(INFO, info), 1.0)]
        if "revision" in kind.labels:
            constant.append((_series(REVISION_CHANGES, identity), float(changes)))
        if self._with_old_metrics:
            constant += _old_samples(kind, item)
        ready = item.ready()
        changed = None
        if ready and ready.changed_ms is not None:
            condition = {**identity, "type": "Ready", "status": ready.status}
            changed = (_series(CONDITION_AGE, condition), ready.changed_ms)
        return _Entry(revision, changes, tuple(constant), changed)


def _info(kind: FluxKind, version: str, item: FluxObject) -> dict[str, str]:
    """The labels of an object; what it does not have is left out by `_series`, as everywhere."""
    ready = item.ready()
    return {
        "customresource_group": kind.group,
        "customresource_kind": kind.name,
        "customresource_version": version,
        "exported_namespace": item.metadata.namespace,
        "name": item.metadata.name,
        "ready": ready.status if ready else "",
        "suspended": item.text_at(("spec", "suspend")),
        **{label: next(filter(None, map(item.text_at, paths)), "") for label, paths in kind.labels.items()},
    }


def _old_samples(kind: FluxKind, item: FluxObject) -> Iterator[tuple[Labels, float]]:
    """Upstream: fluxcd/pkg runtime/metrics, Recorder.RecordCondition and RecordSuspend."""
    identity = {"kind": kind.name, "name": item.metadata.name, "namespace": item.metadata.namespace}
    yield _series(OLD_SUSPEND, identity), float(item.is_suspended)
    if not kind.has_ready:
        return
    ready = item.ready()
    current = ready.status if ready else "Unknown"
    if item.metadata.deletion_timestamp:
        current = "Deleted"
    for status in _OLD_STATUSES:
        yield (
            _series(OLD_CONDITION, {**identity, "type": "Ready", "status": status}),
            float(status == current),
        )


def _series(name: str, labels: dict[str, str]) -> Labels:
    return labels_from({METRIC_NAME: name, **labels})
