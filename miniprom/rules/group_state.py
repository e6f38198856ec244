"""A group from evaluation to evaluation: what its rules find goes into the store and to the notifier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from miniprom.rules.errors import RuleError
from miniprom.rules.evaluation import Environment, Evaluated, Failed, LogQuery, evaluate_rules
from miniprom.rules.model import RuleGroup
from miniprom.rules.rule_state import NO_SERIES, AlertingState, RuleState, Samples, state_of
from miniprom.rules.stages import Stage, stages_of
from miniprom.rules.states import AlertInstance
from query import Batch, Control, Engine, QueryWindow
from tsdb import STALE, Outcome, Snapshot, Store
from tsdb.appended import OutcomeArray
from tsdb.sample import IntArray


@dataclass(frozen=True)
class Due:
    """Alerts of one rule that the notifier is to be told of."""

    query: str
    alerts: Sequence[AlertInstance]


class GroupState:
    """The rules of a group with their states. All methods but `evaluate` belong to the event loop."""

    def __init__(self, group: RuleGroup, store: Store, *, is_restored: bool = True) -> None:
        self.group = group
        self.rules = [state_of(rule, is_restored=is_restored) for rule in group.rules]
        self.stages = stages_of(group.rules)
        self.stale_series: IntArray = NO_SERIES
        self.last_evaluation_ms: int | None = None
        self.duration_seconds = 0.0
        self.samples_written = 0
        self._store = store
        self._epoch = store.epoch  # all ids are valid in this epoch of the store
        self._engine: Engine | None = None
        self._queries: dict[Stage, Batch] = {}

    def evaluate(
        self,
        stage: Stage,
        snapshot: Snapshot,
        time_ms: int,
        environment: Environment,
        control: Control | None = None,
    ) -> list[Evaluated]:
        """What the rules of a stage find. In any thread."""
        rules = [self.group.rules[position] for position in stage]
        if self._engine is not environment.engine:
            self._engine, self._queries = environment.engine, {}
        if stage not in self._queries:
            self._queries[stage] = environment.engine.batch([rule.expr for rule in rules])
        return evaluate_rules(
            rules,
            self._queries[stage],
            snapshot,
            time_ms,
            environment,
            query_offset_ms=self.query_offset_ms(environment),
            limit=self.group.limit,
            log=self._log(time_ms, environment),
            control=control,
        )

    def commit(
        self,
        stage: Stage,
        evaluated: Sequence[Evaluated],
        time_ms: int,
        environment: Environment,
        *,
        resend_delay_ms: int = 0,
        started_ms: int | None = None,
    ) -> list[Due]:
        """Write what was found, mark what vanished, and answer with the alerts to tell of."""
        self._give_up_reclaimed()
        due, batch = [], _Batch(self._store)
        for state, each in zip(self.states_of(stage), evaluated, strict=True):
            state.evaluated_at_ms = time_ms if started_ms is None else started_ms
            state.duration_seconds = each.duration_seconds
            if isinstance(each.finding, Failed):
                state.fail(each.finding.reason)
                continue
            try:
                samples = state.samples(each, self._store, time_ms, self.group.limit)
            except RuleError as error:
                state.fail(str(error))
                continue
            if isinstance(state, AlertingState) and (alerts := state.take_due(time_ms, resend_delay_ms)):
                due.append(Due(state.rule.query, alerts))
            batch.add(state, samples)
        self.samples_written += batch.write(time_ms - self.query_offset_ms(environment))
        return due

    def states_of(self, stage: Stage) -> list[RuleState]:
        """The states of a stage's rules."""
        return [self.rules[position] for position in stage]

    def begin(self) -> None:
        """Before the first stage."""
        self.samples_written = 0

    def mark_stale(self, time_ms: int) -> None:
        """End the series of rules that are no more."""
        self._give_up_reclaimed()
        if len(self.stale_series):
            self._store.append(self.stale_series, time_ms, np.full(len(self.stale_series), STALE))
            self.stale_series = NO_SERIES

    def query_offset_ms(self, environment: Environment) -> int:
        """How far in the past the group is evaluated."""
        own = self.group.query_offset_ms
        return environment.query_offset_ms if own is None else own

    def all_series(self) -> IntArray:
        """The series that the newest evaluation wrote, and those that are to be ended."""
        return np.unique(np.concatenate([self.stale_series, *(state.series_ids for state in self.rules)]))

    def adopt(self, old: "GroupState") -> None:
        """Go on where the group of the same name has stopped; rules are the same by name and labels.

        Of several alike, the first goes on as the first, the second as the second.
        """
        old._give_up_reclaimed()
        self.last_evaluation_ms, self.duration_seconds = old.last_evaluation_ms, old.duration_seconds
        known: dict[object, list[RuleState]] = {}
        for state in old.rules:
            known.setdefault(_identity(state), []).append(state)
        for state in self.rules:
            if alike := known.get(_identity(state)):
                state.adopt(alike.pop(0))
        left = [state.series_ids for alike in known.values() for state in alike]
        self.stale_series = np.unique(np.concatenate([old.stale_series, *left]))

    def _log(self, time_ms: int, environment: Environment) -> LogQuery | None:
        log, at_ms = environment.query_log, time_ms - self.query_offset_ms(environment)
        if log is None or not log.is_open:
            return None
        window, group = QueryWindow(at_ms, at_ms, 0), {"file": self.group.file, "name": self.group.name}
        return lambda query, stats, error: log.write(query, window, stats, error, ruleGroup=group)

    def _give_up_reclaimed(self) -> None:
        """Let go of the ids of series that have no sample left: they may be others' now."""
        since, self._epoch = self._epoch, self._store.epoch
        if since == self._epoch:
            return
        self.stale_series = self.stale_series[~self._store.reclaimed(self.stale_series, since)]
        for state in self.rules:
            state.series_ids = state.series_ids[~self._store.reclaimed(state.series_ids, since)]


class _Batch:
    """The samples of several rules at one time, written together, so that they come to share a ring."""

    def __init__(self, store: Store) -> None:
        self.states: list[RuleState] = []
        self._store = store
        self._samples: list[Samples] = []
        self._vanished: list[IntArray] = []

    def add(self, state: RuleState, samples: Samples) -> None:
        self.states.append(state)
        self._samples.append(samples)
        self._vanished.append(state.vanished(samples))

    def write(self, time_ms: int) -> int:
        """Append all, let each rule know how it went, and answer with the number of samples found."""
        if not self.states:
            return 0
        ids, values = [], []
        for samples, vanished in zip(self._samples, self._vanished, strict=True):
            ids += [samples.series_ids, vanished]
            values += [samples.values, np.full(len(vanished), STALE)]
        appended = self._store.append(np.concatenate(ids), time_ms, np.concatenate(values))
        start = 0
        for state, samples, vanished in zip(self.states, self._samples, self._vanished, strict=True):
            end = start + len(samples.series_ids)
            outcomes = None if appended.outcomes is None else appended.outcomes[start:end]
            self._settle(state, samples, outcomes, time_ms)
            start = end + len(vanished)
        return sum(samples.size for samples in self._samples)

    def _settle(
        self, state: RuleState, samples: Samples, outcomes: OutcomeArray | None, time_ms: int
    ) -> None:
        stored, refused = samples.series_ids, set[int]()
        if outcomes is not None and outcomes.any():
            stored = stored[outcomes == Outcome.STORED]
            refused = set(np.unique(outcomes).tolist()) - {Outcome.STORED}
        kept = []
        for series_id, histogram in samples.histograms:
            appended = self._store.append_histograms(series_id, [time_ms], [histogram])
            if appended.outcomes is None:
                kept.append(series_id)
            else:
                refused.add(int(appended.outcomes[0]))
        state.settle(np.append(stored, kept).astype(np.int64) if kept else stored, refused)


def _identity(state: RuleState) -> tuple[str, object]:
    return state.rule.name, state.rule.labels
