"""The state table: scenarios from upstream's documentation, and what must hold of any course of events."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprom.rules.states import (
    RESOLVED_RETENTION_MS,
    TRANSITIONS,
    AlertInstance,
    Seen,
    Sighting,
    State,
    Timing,
    advance,
    needs_sending,
)

LABELS = (("alertname", "Down"),)
SIGHTING = Sighting(LABELS, 1.0, {"summary": "down"})
MINUTE_MS = 60_000


def course(timing: Timing, seen: str, step_ms: int = MINUTE_MS) -> list[State]:
    """The states after each evaluation, where `x` is one that has the series and `.` one that has not."""
    alert: AlertInstance | None = None
    states = []
    for position, mark in enumerate(seen):
        sighting = SIGHTING if mark == "x" else None
        if alert is not None or sighting is not None:
            alert = advance(alert, sighting, position * step_ms, timing)
        states.append(State.INACTIVE if alert is None else alert.state)
    return states


N, P, F, K, R = State.INACTIVE, State.PENDING, State.FIRING, State.KEEP_FIRING, State.RESOLVED


@pytest.mark.parametrize(
    ("hold_minutes", "keep_minutes", "seen", "states"),
    [
        (0, 0, ".x.", [N, F, R]),
        (2, 0, "xxxx", [P, P, F, F]),
        (2, 0, "xx.x", [P, P, N, P]),
        (2, 0, "xxx.xx", [P, P, F, R, P, P]),
        (0, 2, "x....", [F, K, K, R, R]),
        (0, 2, "x.x..", [F, K, F, K, K]),
        (0, 0, "x.x", [F, R, F]),
    ],
)
def test_course_of_an_alert(hold_minutes: int, keep_minutes: int, seen: str, states: list[State]) -> None:
    assert course(Timing(hold_minutes * MINUTE_MS, keep_minutes * MINUTE_MS), seen) == states


def test_alert_fires_when_it_is_as_old_as_for_to_the_millisecond() -> None:
    pending = advance(None, SIGHTING, 0, Timing(hold_ms=1000))
    before = advance(pending, SIGHTING, 999, Timing(hold_ms=1000))
    assert before is not None
    assert before.state is State.PENDING
    after = advance(before, SIGHTING, 1000, Timing(hold_ms=1000))
    assert after is not None
    assert (after.state, after.active_at_ms, after.fired_at_ms) == (State.FIRING, 0, 1000)


def test_resolved_alert_is_forgotten_after_its_retention_only() -> None:
    firing = AlertInstance(LABELS, State.FIRING, 0, fired_at_ms=0)
    resolved = advance(firing, None, 0, Timing())
    assert resolved is not None
    assert advance(resolved, None, RESOLVED_RETENTION_MS, Timing()) == resolved
    assert advance(resolved, None, RESOLVED_RETENTION_MS + 1, Timing()) is None


def test_firing_alert_becomes_pending_again_when_for_has_become_longer() -> None:
    firing = AlertInstance(LABELS, State.FIRING, 0, fired_at_ms=0, last_sent_ms=0)
    pending = advance(firing, SIGHTING, 1000, Timing(hold_ms=5000))
    assert pending is not None
    assert (pending.state, pending.fired_at_ms, pending.last_sent_ms) == (State.PENDING, None, None)


def test_alert_that_comes_back_begins_anew() -> None:
    resolved = AlertInstance(LABELS, State.RESOLVED, 0, fired_at_ms=0, resolved_at_ms=10, last_sent_ms=10)
    again = advance(resolved, SIGHTING, 20, Timing())
    assert again == AlertInstance(LABELS, State.FIRING, 20, 1.0, {"summary": "down"}, fired_at_ms=20)


def test_value_and_annotations_are_those_of_the_newest_sighting() -> None:
    firing = AlertInstance(LABELS, State.FIRING, 0, 1.0, {"summary": "old"}, fired_at_ms=0)
    alert = advance(firing, Sighting(LABELS, 2.0, {"summary": "new"}), 10, Timing())
    assert alert is not None
    assert (alert.value, alert.annotations, alert.fired_at_ms) == (2.0, {"summary": "new"}, 0)


FIRING = AlertInstance(LABELS, State.FIRING, 0, fired_at_ms=0)


@pytest.mark.parametrize(
    ("alert", "due"),
    [
        (replace(FIRING, state=State.PENDING), False),
        (FIRING, True),
        (replace(FIRING, last_sent_ms=40_000), False),
        (replace(FIRING, last_sent_ms=39_999), True),
        (replace(FIRING, state=State.RESOLVED, resolved_at_ms=90_000, last_sent_ms=80_000), True),
        (replace(FIRING, state=State.RESOLVED, resolved_at_ms=90_000, last_sent_ms=90_000), False),
    ],
)
def test_alert_is_due_when_new_or_changed_or_when_the_resend_delay_is_over(
    alert: AlertInstance, due: bool
) -> None:
    assert needs_sending(alert, 100_000, resend_delay_ms=60_000) is due


def test_table_knows_an_answer_wherever_an_alert_is_seen() -> None:
    assert all((state, Seen.PRESENT) in TRANSITIONS for state in State)


COURSES = st.tuples(st.integers(0, 5), st.integers(0, 5), st.lists(st.booleans(), min_size=1, max_size=40))


@given(COURSES)
def test_firing_alert_has_been_active_for_its_whole_hold_time(drawn: tuple[int, int, list[bool]]) -> None:
    hold, keep, seen = drawn
    alert: AlertInstance | None = None
    for now, is_seen in enumerate(seen):
        if alert is None and not is_seen:
            continue
        alert = advance(alert, SIGHTING if is_seen else None, now, Timing(hold, keep))
        if alert and alert.state in (State.FIRING, State.KEEP_FIRING):
            assert now - alert.active_at_ms >= hold
            assert alert.fired_at_ms is not None
            assert alert.resolved_at_ms is None
            assert alert.fired_at_ms - alert.active_at_ms >= hold
        if alert and alert.state is State.FIRING:
            assert is_seen


@given(COURSES)
def test_alert_that_is_gone_is_kept_no_longer_than_it_should(drawn: tuple[int, int, list[bool]]) -> None:
    hold, keep, seen = drawn
    alert: AlertInstance | None = None
    absent = 0
    for now, is_seen in enumerate(seen):
        absent = 0 if is_seen else absent + 1
        if alert is None and not is_seen:
            continue
        alert = advance(alert, SIGHTING if is_seen else None, now, Timing(hold, keep))
        if not is_seen and absent > keep:
            assert alert is None or alert.state is State.RESOLVED


@given(COURSES)
def test_without_hold_and_keep_an_alert_fires_just_while_it_is_seen(
    drawn: tuple[int, int, list[bool]],
) -> None:
    states = course(Timing(), "".join("x" if is_seen else "." for is_seen in drawn[2]), step_ms=1)
    assert [state is State.FIRING for state in states] == drawn[2]
