"""Since when alerts were pending before a restart, from ALERTS_FOR_STATE in the store.

Source: upstream's Group.RestoreForState.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from miniprom.rules.evaluation import ALERT_NAME
from miniprom.rules.model import AlertingRule
from miniprom.rules.rule_state import AlertingState
from miniprom.rules.stages import ALERTS_FOR_STATE
from miniprom.rules.templating import is_template
from tsdb import METRIC_NAME, Labels, Matcher, MatchOp, Snapshot, is_absent, is_stale


@dataclass(frozen=True)
class RestoreOptions:
    """`outage_tolerance_ms`: how long the program may have been away. `grace_period_ms`: the least time that
    a restored alert stays pending; alerts with a shorter `for` are not restored.
    """

    outage_tolerance_ms: int = 3_600_000
    grace_period_ms: int = 600_000


DEFAULT_RESTORE: Final = RestoreOptions()


@dataclass(frozen=True)
class LastSeen:
    """The newest sample of an ALERTS_FOR_STATE series."""

    at_ms: int
    active_at_ms: int


def restore(state: AlertingState, snapshot: Snapshot, now_ms: int, options: RestoreOptions) -> None:
    """Let the alerts of a rule be active since they were before the restart; its series are written again."""
    rule = state.rule
    if rule.timing.hold_ms >= options.grace_period_ms and state.alerts:
        before = last_seen(rule, snapshot, now_ms, options.outage_tolerance_ms)
        for labels, alert in state.alerts.items():
            if seen := before.get(labels):
                since_ms = restored_active_at_ms(seen, now_ms, rule.timing.hold_ms, options.grace_period_ms)
                state.alerts[labels] = replace(alert, active_at_ms=since_ms)
    state.is_restored = True


def restored_active_at_ms(seen: LastSeen, now_ms: int, hold_ms: int, grace_period_ms: int) -> int:
    """Since when the alert counts as active: the time that the program was away does not count.

    One that fired before fires again; one that was about to waits at least for the grace period.
    """
    remaining_ms = hold_ms - (seen.at_ms - seen.active_at_ms)
    if remaining_ms <= 0:
        return seen.active_at_ms
    if remaining_ms < grace_period_ms:
        return now_ms + grace_period_ms - hold_ms
    return seen.active_at_ms + now_ms - seen.at_ms


def last_seen(
    rule: AlertingRule, snapshot: Snapshot, now_ms: int, outage_tolerance_ms: int
) -> dict[Labels, LastSeen]:
    """What the store has of a rule's alerts, by their labels; those that had ended are left out."""
    wanted = {name: value for name, value in rule.labels if not is_template(value)}
    wanted |= {METRIC_NAME: ALERTS_FOR_STATE, ALERT_NAME: rule.name}
    matchers = [Matcher(name, MatchOp.EQUAL, value) for name, value in wanted.items()]
    selection = snapshot.select(matchers, now_ms - outage_tolerance_ms, now_ms)
    series = selection.labels.drop((METRIC_NAME,)).series()
    found = {}
    for slab in selection.slabs:
        values = slab.read(slice(None))
        present = ~is_absent(values)
        newest = len(values) - 1 - np.argmax(present[::-1], axis=0)
        for column, (row, position) in enumerate(zip(newest.tolist(), slab.series.tolist(), strict=True)):
            value = values[row, column]
            if present[row, column] and not is_stale(values[row : row + 1, column])[0]:
                found[series[position]] = LastSeen(int(slab.timestamps_ms[row]), int(value) * 1000)
    return found
