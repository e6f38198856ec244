"""`for` across a restart. Expectations are worked out from the rules in upstream's RestoreForState."""

import numpy as np
import pytest

from miniprom.rules.model import AlertingRule
from miniprom.rules.restore import LastSeen, RestoreOptions, last_seen, restore, restored_active_at_ms
from miniprom.rules.rule_state import AlertingState
from miniprom.rules.states import Sighting, Timing, advance
from query import parse
from tsdb import STALE, Store

MINUTE_MS = 60_000
LABELS = (("alertname", "Down"), ("job", "a"), ("severity", "page"))
SERIES = (("__name__", "ALERTS_FOR_STATE"), *LABELS)
OPTIONS = RestoreOptions(outage_tolerance_ms=60 * MINUTE_MS, grace_period_ms=10 * MINUTE_MS)


@pytest.mark.parametrize(
    ("pending_minutes", "away_minutes", "active_since_minutes"),
    [
        pytest.param(30, 5, 35, id="fired before: fires again at once"),
        pytest.param(40, 5, 45, id="fired for long: since when stays"),
        pytest.param(25, 5, 20, id="about to fire: waits for the grace period"),
        pytest.param(20, 5, 20, id="exactly the grace period left: the outage does not count"),
        pytest.param(10, 5, 10, id="much left: the outage does not count"),
    ],
)
def test_alert_counts_as_active_since(
    pending_minutes: int, away_minutes: int, active_since_minutes: int
) -> None:
    now_ms = 1000 * MINUTE_MS
    at_ms = now_ms - away_minutes * MINUTE_MS
    seen = LastSeen(at_ms, at_ms - pending_minutes * MINUTE_MS)
    active_at_ms = restored_active_at_ms(seen, now_ms, 30 * MINUTE_MS, 10 * MINUTE_MS)
    assert now_ms - active_at_ms == active_since_minutes * MINUTE_MS


def rule(hold_minutes: int = 30, severity: str = "page") -> AlertingRule:
    timing = Timing(hold_ms=hold_minutes * MINUTE_MS)
    return AlertingRule("Down", parse("up == 0"), (("severity", severity),), timing=timing)


def store_with(*points: tuple[int, float]) -> Store:
    """ALERTS_FOR_STATE of the one alert: (minute, value)."""
    store = Store(retention_ms=None)
    ids = store.series_ids([SERIES])
    for minute, value in points:
        store.append(ids, minute * MINUTE_MS, np.array([value]))
    return store


def pending(rule_: AlertingRule, now_ms: int) -> AlertingState:
    state = AlertingState(rule_, is_restored=False)
    alert = advance(None, Sighting(LABELS, 0.0, {}), now_ms, rule_.timing)
    assert alert is not None
    state.alerts[LABELS] = alert
    return state


def test_newest_sample_of_each_alert_is_what_was_last_seen() -> None:
    found = last_seen(rule(), store_with((1, 0), (2, 60)).snapshot(0), 10 * MINUTE_MS, 60 * MINUTE_MS)
    assert found == {LABELS: LastSeen(2 * MINUTE_MS, MINUTE_MS)}


def test_alert_that_had_ended_before_the_restart_is_not_restored() -> None:
    snapshot = store_with((1, 0), (2, float(STALE))).snapshot(0)
    assert last_seen(rule(), snapshot, 10 * MINUTE_MS, 60 * MINUTE_MS) == {}


def test_outage_longer_than_tolerated_restores_nothing() -> None:
    snapshot = store_with((0, 0)).snapshot(0)
    assert last_seen(rule(), snapshot, 60 * MINUTE_MS, 60 * MINUTE_MS)
    assert last_seen(rule(), snapshot, 60 * MINUTE_MS + 1, 60 * MINUTE_MS) == {}


def test_labels_that_are_templates_are_not_matched() -> None:
    snapshot = store_with((0, 0)).snapshot(0)
    assert last_seen(rule(severity="{{ $value }}"), snapshot, MINUTE_MS, MINUTE_MS)
    assert last_seen(rule(severity="other"), snapshot, MINUTE_MS, MINUTE_MS) == {}


def test_alert_is_restored_and_its_series_are_written_again() -> None:
    now_ms = 20 * MINUTE_MS
    state = pending(rule(), now_ms)
    restore(state, store_with((10, 0)).snapshot(now_ms), now_ms, OPTIONS)
    assert state.is_restored
    assert state.alerts[LABELS].active_at_ms == 10 * MINUTE_MS


@pytest.mark.parametrize(("hold_minutes", "active_at_minutes"), [(10, 20), (11, 19)])
def test_alert_with_a_for_shorter_than_the_grace_period_is_not_restored(
    hold_minutes: int, active_at_minutes: int
) -> None:
    now_ms = 20 * MINUTE_MS
    state = pending(rule(hold_minutes), now_ms)
    restore(state, store_with((19, 19 * 60 - 60)).snapshot(now_ms), now_ms, OPTIONS)
    assert state.is_restored
    assert state.alerts[LABELS].active_at_ms == active_at_minutes * MINUTE_MS


def test_alert_that_is_not_in_the_store_stays_as_it_is() -> None:
    state = pending(rule(), 5 * MINUTE_MS)
    restore(state, Store(retention_ms=None).snapshot(0), 5 * MINUTE_MS, OPTIONS)
    assert state.is_restored
    assert state.alerts[LABELS].active_at_ms == 5 * MINUTE_MS
