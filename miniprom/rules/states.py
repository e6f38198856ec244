"""The life of one alert as a table: state, and what an evaluation says of it, to the next state.

Pure: time comes in as `now_ms`. The semantics are those of upstream's rules/alerting.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, NamedTuple

from tsdb import Labels

RESOLVED_RETENTION_MS: Final = 15 * 60_000
"""How long a resolved alert is told of again and again, should a message get lost."""


class State(Enum):
    """Where an alert is in its life. INACTIVE is before and after it."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    KEEP_FIRING = "keep-firing"
    RESOLVED = "resolved"


class Seen(Enum):
    """What an evaluation says of an alert."""

    PRESENT = "its expression has the series"
    KEPT = "gone, but for less than keep_firing_for"
    GONE = "gone"
    FORGOTTEN = "resolved for longer than anybody needs to be told"


class Next(NamedTuple):
    """The next state if the alert has been active for `for`, and if it has not."""

    ripe: State
    unripe: State


_ACTIVE: Final = Next(ripe=State.FIRING, unripe=State.PENDING)
_KEPT: Final = Next(ripe=State.KEEP_FIRING, unripe=State.PENDING)
_RESOLVED: Final = Next(State.RESOLVED, State.RESOLVED)
_INACTIVE: Final = Next(State.INACTIVE, State.INACTIVE)

TRANSITIONS: Final[Mapping[tuple[State, Seen], Next]] = {
    (State.INACTIVE, Seen.PRESENT): _ACTIVE,
    (State.PENDING, Seen.PRESENT): _ACTIVE,
    (State.PENDING, Seen.GONE): _INACTIVE,
    # A firing alert is unripe after a reload that made `for` longer, or when its state was restored.
    (State.FIRING, Seen.PRESENT): _ACTIVE,
    (State.FIRING, Seen.KEPT): _KEPT,
    (State.FIRING, Seen.GONE): _RESOLVED,
    (State.KEEP_FIRING, Seen.PRESENT): _ACTIVE,
    (State.KEEP_FIRING, Seen.KEPT): _KEPT,
    (State.KEEP_FIRING, Seen.GONE): _RESOLVED,
    (State.RESOLVED, Seen.PRESENT): _ACTIVE,
    (State.RESOLVED, Seen.GONE): _RESOLVED,
    (State.RESOLVED, Seen.FORGOTTEN): _INACTIVE,
}
"""What is not in the table can't happen."""

FIRING_STATES: Final = frozenset({State.FIRING, State.KEEP_FIRING})
ACTIVE_STATES: Final = FIRING_STATES | {State.PENDING}


@dataclass(frozen=True)
class Timing:
    """`for` and `keep_firing_for` of a rule."""

    hold_ms: int = 0
    keep_firing_ms: int = 0


AT_ONCE: Final = Timing()


@dataclass(frozen=True)
class AlertInstance:
    """One alert of a rule: its labels tell it from others; times are None until they come."""

    labels: Labels
    state: State
    active_at_ms: int
    value: float = 0.0
    annotations: Mapping[str, str] = field(default_factory=dict)
    fired_at_ms: int | None = None
    keep_firing_since_ms: int | None = None
    resolved_at_ms: int | None = None
    last_sent_ms: int | None = None

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES


@dataclass(frozen=True)
class Sighting:
    """A series that an alert's expression has at this evaluation."""

    labels: Labels
    value: float
    annotations: Mapping[str, str]


def advance(
    alert: AlertInstance | None, sighting: Sighting | None, now_ms: int, timing: Timing
) -> AlertInstance | None:
    """The alert after an evaluation; None if there is none (any more). Requires: one of the two is there."""
    if alert is None or (alert.state is State.RESOLVED and sighting is not None):
        assert sighting is not None
        alert = AlertInstance(sighting.labels, State.INACTIVE, now_ms)
    if sighting is not None:
        alert = replace(alert, value=sighting.value, annotations=sighting.annotations)
    following = TRANSITIONS[alert.state, _seen(alert, sighting, now_ms, timing)]
    is_ripe = now_ms - alert.active_at_ms >= timing.hold_ms
    state = following.ripe if is_ripe else following.unripe
    return None if state is State.INACTIVE else _entered(alert, state, now_ms)


def needs_sending(alert: AlertInstance, now_ms: int, resend_delay_ms: int) -> bool:
    """Whether it is time to tell of a firing or resolved alert (again)."""
    if alert.state is State.PENDING:
        return False
    if alert.last_sent_ms is None:
        return True
    if alert.resolved_at_ms is not None and alert.resolved_at_ms > alert.last_sent_ms:
        return True
    return alert.last_sent_ms + resend_delay_ms < now_ms


def _seen(alert: AlertInstance, sighting: Sighting | None, now_ms: int, timing: Timing) -> Seen:
    if sighting is not None:
        return Seen.PRESENT
    if alert.state in FIRING_STATES:
        since_ms = now_ms if alert.keep_firing_since_ms is None else alert.keep_firing_since_ms
        return Seen.KEPT if now_ms - since_ms < timing.keep_firing_ms else Seen.GONE
    if alert.resolved_at_ms is not None and now_ms - alert.resolved_at_ms > RESOLVED_RETENTION_MS:
        return Seen.FORGOTTEN
    return Seen.GONE


def _entered(alert: AlertInstance, state: State, now_ms: int) -> AlertInstance:
    """The alert in its next state, with the times that go with it."""
    was_firing = alert.state in FIRING_STATES
    match state:
        case State.PENDING:
            return replace(alert, state=state, fired_at_ms=None, keep_firing_since_ms=None, last_sent_ms=None)
        case State.FIRING:
            fired_at_ms = alert.fired_at_ms if was_firing else now_ms
            return replace(alert, state=state, fired_at_ms=fired_at_ms, keep_firing_since_ms=None)
        case State.KEEP_FIRING:
            since_ms = now_ms if alert.keep_firing_since_ms is None else alert.keep_firing_since_ms
            return replace(alert, state=state, keep_firing_since_ms=since_ms)
        case State.RESOLVED:
            return replace(alert, state=state, resolved_at_ms=now_ms) if was_firing else alert
        case State.INACTIVE:
            raise AssertionError("an inactive alert is none")
