"""Rules over a store filled by hand, evaluated when a test says so."""

from collections.abc import Mapping, Sequence

import numpy as np

from miniprom.promqltest.comparison import actual_series, format_labels
from miniprom.rules.evaluation import Environment
from miniprom.rules.files import RuleFileOptions, parse_rule_file
from miniprom.rules.group_state import Due, GroupState
from miniprom.rules.model import RuleGroup
from miniprom.rules.rule_state import AlertingState
from query import Engine, InstantVector, RawMatrix
from tsdb import Store, labels_from


def rule_groups(text: str, interval_ms: int = 60_000) -> tuple[RuleGroup, ...]:
    """The groups of a rule file."""
    return parse_rule_file(text, "rules.yml", RuleFileOptions(interval_ms=interval_ms))


def group_of(*rules: str, options: str = "") -> RuleGroup:
    """A group of rules in YAML's flow style."""
    text = ", ".join(f"{{{rule}}}" for rule in rules)
    return rule_groups(f"groups: [{{name: g, {options} rules: [{text}]}}]")[0]


class Rules:
    """One group and its store."""

    def __init__(self, *rules: str, options: str = "", environment: Environment | None = None) -> None:
        self.store = Store(retention_ms=None)
        self.group = GroupState(group_of(*rules, options=options), self.store)
        self.environment = environment or Environment(Engine())

    def add(self, labels: Mapping[str, str], time_ms: int, value: float) -> None:
        ids = self.store.series_ids([labels_from(labels)])
        self.store.append(ids, time_ms, np.array([value]))

    def evaluate(self, time_ms: int, *, resend_delay_ms: int = 60_000) -> list[Due]:
        due = []
        for stage in self.group.stages:
            snapshot = self.store.snapshot(time_ms)
            evaluated = self.group.evaluate(stage, snapshot, time_ms, self.environment)
            due += self.group.commit(
                stage, evaluated, time_ms, self.environment, resend_delay_ms=resend_delay_ms
            )
        return due

    def query(self, text: str, time_ms: int) -> dict[str, float]:
        """The samples of an instant vector by their series."""
        value = Engine().instant(self.store.snapshot(time_ms), text, time_ms).value
        assert isinstance(value, InstantVector)
        names = map(format_labels, value.labels.series())
        return dict(zip(names, value.values.tolist(), strict=True))

    def samples(self, selector: str, until_ms: int = 3_600_000) -> dict[str, Mapping[int, object]]:
        """All samples of series, stale markers left out."""
        value = Engine().instant(self.store.snapshot(until_ms), f"{selector}[1h1ms]", until_ms).value
        assert isinstance(value, RawMatrix)
        return {format_labels(series.labels): series.samples for series in actual_series(value)}

    def alerting(self, position: int = 0) -> AlertingState:
        state = self.group.rules[position]
        assert isinstance(state, AlertingState)
        return state

    def errors(self) -> Sequence[str]:
        return [state.last_error for state in self.group.rules]
