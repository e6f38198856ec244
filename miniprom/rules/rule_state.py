"""What is remembered of a rule from evaluation to evaluation. Written by the event loop only."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

import numpy as np

from miniprom.rules.errors import RuleError
from miniprom.rules.evaluation import ALERT_NAME, Evaluated, Recorded, Sighted
from miniprom.rules.model import AlertingRule, RecordingRule, Rule
from miniprom.rules.stages import ALERTS, ALERTS_FOR_STATE
from miniprom.rules.states import (
    FIRING_STATES,
    AlertInstance,
    Sighting,
    State,
    advance,
    needs_sending,
)
from tsdb import METRIC_NAME, LabelFrame, Labels, LabelScope, Outcome, Store, labels_from
from tsdb.histogram import FloatHistogram
from tsdb.sample import CodeArray, FloatArray, IntArray

ALERT_STATE: Final = "alertstate"
NO_SERIES: Final[IntArray] = np.empty(0, dtype=np.int64)

_REFUSALS: Final = {
    Outcome.OUT_OF_ORDER: "out of order sample",
    Outcome.DUPLICATE: "duplicate sample for timestamp",
    Outcome.TOO_OLD: "too old sample",
    Outcome.NO_ROOM: "no room for a new series: the memory limit is reached",
}


class Health(Enum):
    """How the newest evaluation went."""

    UNKNOWN = "unknown"
    GOOD = "ok"
    BAD = "err"


@dataclass(frozen=True)
class Samples:
    """What a rule gives at one time: a float a series, and histograms of others."""

    series_ids: IntArray
    values: FloatArray
    histograms: tuple[tuple[int, FloatHistogram], ...] = ()

    @property
    def size(self) -> int:
        return len(self.series_ids) + len(self.histograms)


@dataclass
class RuleState(ABC):
    """Of any rule. `series_ids` are those that the newest successful evaluation wrote."""

    rule: Rule
    health: Health = field(default=Health.UNKNOWN, init=False)
    last_error: str = field(default="", init=False)
    evaluated_at_ms: int | None = field(default=None, init=False)
    duration_seconds: float = field(default=0.0, init=False)
    series_ids: IntArray = field(default_factory=NO_SERIES.copy, init=False)

    @abstractmethod
    def samples(self, evaluated: Evaluated, store: Store, time_ms: int, limit: int) -> Samples:
        """What to write of a finding that is no failure. Raises `RuleError`."""

    def fail(self, reason: str) -> None:
        """Show why there is no result."""
        self.health, self.last_error = Health.BAD, reason

    def vanished(self, samples: Samples) -> IntArray:
        """The series of the evaluation before that this one lacks."""
        histogram_ids = [series_id for series_id, _ in samples.histograms]
        if not histogram_ids and np.array_equal(self.series_ids, samples.series_ids):
            return NO_SERIES
        return np.setdiff1d(self.series_ids, np.append(samples.series_ids, histogram_ids))

    def settle(self, stored: IntArray, refused: Iterable[int]) -> None:
        """Remember what was stored, and why other samples were not."""
        self.series_ids = stored
        reasons = sorted({_REFUSALS[Outcome(outcome)] for outcome in refused})
        if reasons:
            self.fail("; ".join(reasons))
        else:
            self.health, self.last_error = Health.GOOD, ""

    def adopt(self, old: "RuleState") -> None:
        """Go on where the same rule of the group before a reload has stopped."""
        self.series_ids = old.series_ids


@dataclass
class RecordingState(RuleState):
    """Of a recording rule."""

    rule: RecordingRule
    _known_scope: LabelScope | None = field(default=None, init=False)
    _known_columns: Mapping[str, CodeArray] = field(default_factory=dict, init=False)
    _known_ids: IntArray = field(default_factory=NO_SERIES.copy, init=False)

    def samples(self, evaluated: Evaluated, store: Store, time_ms: int, limit: int) -> Samples:  # noqa: ARG002  alerts need the rest
        """The result under the ids of its series."""
        recorded = evaluated.finding
        assert isinstance(recorded, Recorded)
        ids = self._ids(recorded.labels, store)
        if recorded.histograms is None:
            return Samples(ids, recorded.values)
        cells = recorded.histograms
        is_float = np.array([cell is None for cell in cells], dtype=np.bool_)
        histograms = tuple((int(ids[at]), cells[at]) for at in np.flatnonzero(~is_float))
        return Samples(ids[is_float], recorded.values[is_float], histograms)

    def _ids(self, labels: LabelFrame, store: Store) -> IntArray:
        """The ids of the result's series: the array of the evaluation before where the codes are the same.

        Codes that the store knows (not negative) mean the same, and ids are valid, until it reclaims series.
        """
        columns, scope = labels.columns, self._known_scope
        if (
            scope is not None
            and scope.shares_codes(labels.scope)
            and len(self._known_ids) == labels.size
            and _same_codes(columns, self._known_columns)
        ):
            return self._known_ids
        ids = store.series_ids(labels.series())
        arrays: list[IntArray | CodeArray] = [ids, *columns.values()]
        is_lasting = all(not len(array) or array.min() >= 0 for array in arrays)
        self._known_scope = labels.scope if is_lasting else None
        self._known_columns, self._known_ids = (columns, ids) if is_lasting else ({}, NO_SERIES)
        return ids


@dataclass
class AlertingState(RuleState):
    """Of an alerting rule: its alerts by their labels, those resolved lately included.

    Until `is_restored`, its series are not written, lest they hide those from before a restart.
    """

    rule: AlertingRule
    is_restored: bool = True
    alerts: dict[Labels, AlertInstance] = field(default_factory=dict, init=False)

    def samples(self, evaluated: Evaluated, store: Store, time_ms: int, limit: int) -> Samples:
        """Advance the alerts; the series of the active ones."""
        finding = evaluated.finding
        assert isinstance(finding, Sighted)
        self._advance(finding.sightings, time_ms)
        active = self.active
        if 0 < limit < len(active):
            self.alerts = {}
            raise RuleError(f"exceeded limit of {limit} with {len(active)} alerts")
        if not self.is_restored or not active:
            return Samples(NO_SERIES, np.empty(0))
        series = [series for alert in active for series in self._series(alert)]
        values = [value for alert in active for value in (1.0, alert.active_at_ms // 1000)]
        return Samples(store.series_ids(series), np.array(values, dtype=np.float64))

    @property
    def active(self) -> list[AlertInstance]:
        """The pending and firing alerts."""
        return [alert for alert in self.alerts.values() if alert.is_active]

    @property
    def state(self) -> str:
        """The gravest state of its alerts, as the API names it."""
        if self.evaluated_at_ms is None:
            return "unknown"
        states = {alert.state for alert in self.alerts.values()}
        if states & FIRING_STATES:
            return State.FIRING.value
        return State.PENDING.value if State.PENDING in states else State.INACTIVE.value

    def take_due(self, time_ms: int, resend_delay_ms: int) -> list[AlertInstance]:
        """The alerts to tell of now, which then count as told."""
        due = []
        for labels, alert in self.alerts.items():
            if needs_sending(alert, time_ms, resend_delay_ms):
                self.alerts[labels] = sent = replace(alert, last_sent_ms=time_ms)
                due.append(sent)
        return due

    def adopt(self, old: RuleState) -> None:
        """Its alerts, too."""
        super().adopt(old)
        if isinstance(old, AlertingState):
            self.alerts = dict(old.alerts)

    def _advance(self, sightings: Sequence[Sighting], time_ms: int) -> None:
        seen = {sighting.labels: sighting for sighting in sightings}
        for labels in [*self.alerts, *(labels for labels in seen if labels not in self.alerts)]:
            alert = advance(self.alerts.get(labels), seen.get(labels), time_ms, self.rule.timing)
            if alert is None:
                self.alerts.pop(labels, None)
            else:
                self.alerts[labels] = alert

    def _series(self, alert: AlertInstance) -> tuple[Labels, Labels]:
        """Of ALERTS and of ALERTS_FOR_STATE.

        A label whose template expands to nothing stands there as its template: upstream's sample().
        """
        labels = {**dict(self.rule.labels), **dict(alert.labels), ALERT_NAME: self.rule.name}
        shown = State.FIRING if alert.state in FIRING_STATES else alert.state
        return (
            labels_from({**labels, METRIC_NAME: ALERTS, ALERT_STATE: shown.value}),
            labels_from({**labels, METRIC_NAME: ALERTS_FOR_STATE}),
        )


def _same_codes(columns: Mapping[str, CodeArray], others: Mapping[str, CodeArray]) -> bool:
    return columns.keys() == others.keys() and all(
        np.array_equal(codes, others[name]) for name, codes in columns.items()
    )


def state_of(rule: Rule, *, is_restored: bool = True) -> RuleState:
    """A state for a rule that was never evaluated."""
    return AlertingState(rule, is_restored) if isinstance(rule, AlertingRule) else RecordingState(rule)
