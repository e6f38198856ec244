"""Rules and alerts: /rules, /alerts, /alertmanagers. Source: upstream's web/api/v1/api.go."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from miniprom.api.envelope import success
from miniprom.api.errors import BadParameterError
from miniprom.api.numbers import exponential
from miniprom.api.params import Params, parse_int, read_params
from miniprom.api.services import services_of
from miniprom.api.status import rfc3339
from miniprom.rules.group_state import GroupState
from miniprom.rules.model import Rule
from miniprom.rules.rule_state import AlertingState, RuleState
from miniprom.rules.states import FIRING_STATES, AlertInstance, State
from tsdb import Matcher

_TYPES: Final = ("", "alert", "record")
_BOOLS: Final = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False, "": False}


async def rules(request: web.Request) -> web.Response:
    """The rule groups, filtered and in pages; with `notes=true`, what the data says against each rule."""
    params = await read_params(request)
    page, wanted = _page(params), _filter(params)
    notes = None
    if _bool(params, "notes"):
        from miniprom.api.notes import notes_of_rules  # noqa: PLC0415  the linter, for those who ask

        notes = await notes_of_rules(services_of(request))
    groups: list[dict[str, Any]] = []
    is_found = not page.token
    for state in services_of(request).rules.groups():
        is_found = is_found or page.token == _token(state)
        if not is_found or not wanted.takes_group(state):
            continue
        shown = [
            {
                **_rule(rule, with_alerts=wanted.with_alerts),
                **({} if notes is None else {"notes": notes[id(rule)]}),
            }
            for rule in state.rules
            if wanted.takes(rule)
        ]
        if not shown:
            continue
        if page.size and len(groups) == page.size:
            return success({"groupNextToken": _token(state), "groups": groups})
        groups.append(_group(state, shown))
    if not is_found:
        reason = f"invalid group_next_token '{page.token}'. were rule groups changed?"
        raise BadParameterError("group_next_token", reason)
    return success({"groups": groups})


async def alerts(request: web.Request) -> web.Response:
    """The active alerts."""
    states = (rule for group in services_of(request).rules.groups() for rule in group.rules)
    found = [alert for state in states if isinstance(state, AlertingState) for alert in _alerts(state)]
    return success({"alerts": found})


async def alertmanagers(request: web.Request) -> web.Response:
    """Where alerts are sent."""
    known = services_of(request).alertmanagers
    active, dropped = ([{"url": url} for url in urls] for urls in (known.active, known.dropped))
    return success({"activeAlertmanagers": active, "droppedAlertmanagers": dropped})


@dataclass(frozen=True)
class _Page:
    """How many groups to show (0: all), and the token of the first."""

    size: int
    token: str


@dataclass(frozen=True)
class _Filter:
    """Which groups and rules to show; what is empty lets all through."""

    kind: str
    rule_names: frozenset[str]
    group_names: frozenset[str]
    files: frozenset[str]
    matcher_sets: Sequence[Sequence[Matcher]]
    with_alerts: bool

    def takes_group(self, state: GroupState) -> bool:
        names, files = self.group_names, self.files
        return (not names or state.group.name in names) and (not files or state.group.file in files)

    def takes(self, state: RuleState) -> bool:
        return (
            (not self.kind or (self.kind == "alert") == isinstance(state, AlertingState))
            and (not self.rule_names or state.rule.name in self.rule_names)
            and (not self.matcher_sets or _matches_any(state.rule, self.matcher_sets))
        )


def _matches_any(rule: Rule, matcher_sets: Iterable[Sequence[Matcher]]) -> bool:
    labels = dict(rule.labels)
    return any(
        all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)
        for matchers in matcher_sets
    )


def _filter(params: Params) -> _Filter:
    kind = params.text("type").lower()
    if kind not in _TYPES:
        raise BadParameterError("type", f'not supported value "{kind}"')
    return _Filter(
        kind,
        frozenset(params.texts("rule_name[]")),
        frozenset(params.texts("rule_group[]")),
        frozenset(params.texts("file[]")),
        params.matcher_sets(),
        with_alerts=not _bool(params, "exclude_alerts"),
    )


def _bool(params: Params, name: str) -> bool:
    text = params.text(name).lower()
    if text not in _BOOLS:
        raise BadParameterError(name, f'error converting {name}: expected true or false, got "{text}"')
    return _BOOLS[text]


def _page(params: Params) -> _Page:
    size_text, token = params.text("group_limit"), params.text("group_next_token")
    if token and not size_text:
        reason = "group_limit needs to be present in order to paginate over the groups"
        raise BadParameterError("group_next_token", reason)
    size = parse_int(size_text) if size_text else 0
    if size is None:
        raise BadParameterError("group_limit", f'group_limit needs to be a valid number, got "{size_text}"')
    if size_text and size <= 0:
        raise BadParameterError("group_limit", "group_limit needs to be greater than 0")
    return _Page(size, token)


def _token(state: GroupState) -> str:
    return hashlib.sha256(state.group.key.encode()).hexdigest()


def _group(state: GroupState, shown: list[dict[str, Any]]) -> dict[str, Any]:
    group = state.group
    return {
        "name": group.name,
        "file": group.file,
        "rules": shown,
        "interval": _seconds(group.interval_ms),
        "limit": group.limit,
        "evaluationTime": state.duration_seconds,
        "lastEvaluation": rfc3339(state.last_evaluation_ms or 0),
    }


def _rule(state: RuleState, *, with_alerts: bool) -> dict[str, Any]:
    """In upstream's order of fields."""
    rule = state.rule
    named = {"name": rule.name, "query": rule.query}
    labels = {"labels": dict(rule.labels)}
    evaluated = {
        "health": state.health.value,
        **({"lastError": state.last_error} if state.last_error else {}),
        "evaluationTime": state.duration_seconds,
        "lastEvaluation": rfc3339(state.evaluated_at_ms or 0),
    }
    if not isinstance(state, AlertingState):
        return {**named, **labels, **evaluated, "type": "recording"}
    timing = state.rule.timing
    return {
        "state": state.state,
        **named,
        "duration": _seconds(timing.hold_ms),
        "keepFiringFor": _seconds(timing.keep_firing_ms),
        **labels,
        "annotations": dict(state.rule.annotations),
        "alerts": list(_alerts(state)) if with_alerts else None,
        **evaluated,
        "type": "alerting",
    }


def _seconds(duration_ms: int) -> float:
    """As Go prints it: a whole number without a fraction."""
    return duration_ms // 1000 if duration_ms % 1000 == 0 else duration_ms / 1000


def _alerts(state: AlertingState) -> Iterator[Mapping[str, Any]]:
    return (_alert(alert) for alert in state.active)


def _alert(alert: AlertInstance) -> dict[str, Any]:
    since_ms = alert.keep_firing_since_ms
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": State.FIRING.value if alert.state in FIRING_STATES else alert.state.value,
        "activeAt": rfc3339(alert.active_at_ms),
        **({} if since_ms is None else {"keepFiringSince": rfc3339(since_ms)}),
        "value": exponential(alert.value),
    }
