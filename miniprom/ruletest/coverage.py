"""What rules can do, and which of it no test made them do.

A branch is what could be left out of a rule without any test noticing.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from miniprom.rules.errors import RuleError
from miniprom.rules.evaluation import Environment, sightings_of, vector_of
from miniprom.rules.group_state import GroupState
from miniprom.rules.model import AlertingRule, Rule, RuleGroup
from miniprom.rules.rule_state import AlertingState, RuleState
from miniprom.rules.stages import Stage
from miniprom.rules.states import State
from miniprom.rules.templating import Expander, is_template, parsed
from query import InstantVector, QueryError
from query.language.ast import Binary, Expr, Paren, Subquery
from query.language.printer import format_expr, format_operator
from query.language.walk import children
from tsdb import Snapshot

if TYPE_CHECKING:
    from miniprom.templates import Choice

RuleKey: TypeAlias = tuple[str, str, int]
"""File, group, and the rule's position in it."""
Cause: TypeAlias = "State | Expr | tuple[str, Choice]"
"""A state of an alert, a query that gives something, or a way that a template (its text) goes."""

_LOSSES: Final = {"and": "unless", "unless": "and"}
"""By set operator: the one that gives what the left side loses."""


@dataclass(frozen=True)
class Branch:
    """One thing a rule can do, seen when its cause is. `missing` says that it never did."""

    cause: Cause
    missing: str


@dataclass
class _Watched:
    """A rule with its branches; the first is that it has any effect. `idle` are those that were not seen."""

    file: str
    rule: Rule
    branches: tuple[Branch, ...]
    idle: tuple[Branch, ...]

    @property
    def has_effect(self) -> bool:
        return self.idle[:1] != self.branches[:1]

    def missing(self) -> Iterator[str]:
        """Sentences about what is idle; where there is no effect, no more than that."""
        kind = "alert" if isinstance(self.rule, AlertingRule) else "record"
        for branch in self.idle if self.has_effect else self.branches[:1]:
            yield f'{self.file}:{self.rule.line}: {kind} "{self.rule.name}" {branch.missing}'


class Coverage:
    """Watches the rules of any number of tests."""

    def __init__(self) -> None:
        self._watched: dict[RuleKey, _Watched] = {}

    def expect(self, groups: Iterable[RuleGroup]) -> None:
        """Rules that are about to be tested."""
        for group in groups:
            for position, rule in enumerate(group.rules):
                branches = tuple(_branches(rule))
                watched = _Watched(group.file, rule, branches, branches)
                self._watched.setdefault((group.file, group.name, position), watched)

    def see(
        self, group: GroupState, stage: Stage, snapshot: Snapshot, time_ms: int, environment: Environment
    ) -> None:
        """An evaluation of a stage that is over; `snapshot` is the one it was done on."""
        for position in stage:
            watched = self._watched[group.group.file, group.group.name, position]
            query_ms = time_ms - group.query_offset_ms(environment)
            evaluation = _Evaluation(group.rules[position], snapshot, time_ms, query_ms, environment)
            watched.idle = tuple(branch for branch in watched.idle if not evaluation.shows(branch.cause))

    def lines(self) -> list[str]:
        """A summary, and what no test has seen."""
        rules = sorted(self._watched.values(), key=lambda watched: (watched.file, watched.rule.line))
        effects = sum(watched.has_effect for watched in rules)
        branches = sum(len(watched.branches) for watched in rules) - len(rules)
        idle = sum(len(watched.idle) for watched in rules) - (len(rules) - effects)
        return [
            f"Coverage: {effects} of {len(rules)} rules, {branches - idle} of {branches} branches",
            *(f"  {text}" for watched in rules for text in watched.missing()),
        ]


@dataclass
class _Evaluation:
    """What a rule did at one time."""

    state: RuleState
    snapshot: Snapshot
    time_ms: int
    query_ms: int
    environment: Environment

    def shows(self, cause: Cause) -> bool:
        """Whether it is to be seen here."""
        match cause:
            case State():
                alerts = self.state.alerts.values() if isinstance(self.state, AlertingState) else ()
                return any(alert.state is cause for alert in alerts)
            case (text, choice):
                return choice in self._choices.get(text, ())
            case _:
                vector = self._vector(cause)
                return vector is not None and vector.labels.size > 0

    @cached_property
    def _choices(self) -> "Mapping[str, set[Choice]]":
        """The ways that the rule's templates went, by text."""
        environment = self.environment
        choices: dict[str, set[Choice]] = {}
        expander = Expander(
            environment.engine,
            self.snapshot,
            self.time_ms,
            environment.external_labels,
            environment.external_url,
            choices=choices,
        )
        vector = self._vector(self.state.rule.expr)
        if vector is not None and isinstance(self.state.rule, AlertingRule):
            with suppress(RuleError):
                sightings_of(self.state.rule, vector, expander)
        return choices

    def _vector(self, expr: Expr) -> InstantVector | None:
        """The answer to a query, None where it fails: the rule's own test says why."""
        try:
            return vector_of(
                self.environment.engine.instant(self.snapshot, expr, self.query_ms), self.snapshot
            )
        except (QueryError, RuleError):
            return None


def _branches(rule: Rule) -> Iterator[Branch]:
    if isinstance(rule, AlertingRule):
        yield Branch(State.FIRING, "never fired")
        if rule.timing.hold_ms:
            yield Branch(State.PENDING, "was never pending")
        if rule.timing.keep_firing_ms:
            yield Branch(State.KEEP_FIRING, "never went on firing for keep_firing_for")
        yield Branch(State.RESOLVED, "never resolved")
    else:
        yield Branch(rule.expr, "recorded nothing")
    yield from _operands(rule.expr)
    if isinstance(rule, AlertingRule):
        for kind, templates in (("label", rule.labels), ("annotation", rule.annotations)):
            for name, text in templates:
                yield from _ways(text, f'{kind} "{name}"')


def _operands(expr: Expr) -> Iterator[Branch]:
    """The operands of `or`, `and` and `unless` that a test could do without.

    What stands in a subquery is left out: it is evaluated at other times.
    """
    if not isinstance(expr, Subquery):
        for child in children(expr):
            yield from _operands(child)
    if isinstance(expr, Binary) and expr.op in _LOSSES:
        loss = replace(expr, op=_LOSSES[expr.op])
        yield Branch(loss, f"never lost anything to `{format_operator(expr)} {format_expr(expr.rhs)}`")
    elif isinstance(expr, Binary) and expr.op == "or":
        if not _is_or(expr.lhs):
            yield Branch(expr.lhs, f"never got anything from `{format_expr(expr.lhs)}`")
        gain = replace(expr, op="unless", lhs=expr.rhs, rhs=expr.lhs)
        yield Branch(gain, f"never got anything from `{format_operator(expr)} {format_expr(expr.rhs)}`")


def _is_or(expr: Expr) -> bool:
    while isinstance(expr, Paren):
        expr = expr.expr
    return isinstance(expr, Binary) and expr.op == "or"


def _ways(text: str, where: str) -> Iterator[Branch]:
    if not is_template(text):
        return
    from miniprom.templates import choices_of  # noqa: PLC0415  rules without templates do without

    for choice in choices_of(parsed(text)):
        verb = "entered" if choice.is_taken else "skipped"
        yield Branch((text, choice), f"never {verb} `{choice.shown(text)}` in {where}")
