"""All rule groups: evaluated in time, and changed while they run. Upstream: rules.Manager."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry

from collector.clock import Clock
from collector.relabel import Rule as RelabelRule
from collector.schedule import first_due_ms, next_due_ms
from miniprom.rules.evaluation import Environment, Evaluated, Failed
from miniprom.rules.group_state import Due, GroupState
from miniprom.rules.metrics import RuleMetrics
from miniprom.rules.model import RuleGroup
from miniprom.rules.notifier import NoNotifier, Notifier
from miniprom.rules.outgoing import outgoing
from miniprom.rules.restore import DEFAULT_RESTORE, RestoreOptions, restore
from miniprom.rules.rule_state import AlertingState, RuleState
from miniprom.rules.stages import Stage
from query import Control, QueryError
from query.kernels.xxhash import xxh64
from tsdb import Store

_log: Final = logging.getLogger(__name__)

Run: TypeAlias = Callable[[Callable[[Control], list[Evaluated]], Hashable], Awaitable[list[Evaluated]]]
"""Does work elsewhere (in a thread), under a `Control` that a deadline stops; equal work has an equal key."""

_VALID_FOR_SENDS: Final = 4
"""An alert outlives so many intervals (or resend delays) without being sent again, as upstream."""


async def run_here(work: Callable[[Control], list[Evaluated]], _key: Hashable) -> list[Evaluated]:
    """A `Run` for tests."""
    return work(Control())


@dataclass(frozen=True)
class RuleOptions:
    """What the command line says about rules."""

    resend_delay_ms: int = 60_000
    restore: RestoreOptions = DEFAULT_RESTORE


@dataclass(frozen=True)
class RuleSettings:
    """What the configuration file says about rules.

    State is taken from the store for the groups that are there from the start; if `restores_all`, for those
    that come later, too.
    """

    groups: Sequence[RuleGroup]
    environment: Environment
    relabel_rules: Sequence[RelabelRule] = field(default_factory=tuple)
    restores_all: bool = False


class RuleManager:
    """Runs a loop for each group. To be used from one event loop."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        registry: CollectorRegistry | None = None,
        *,
        run: Run = run_here,
        notifier: Notifier | None = None,
        options: RuleOptions | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.metrics = RuleMetrics(registry or CollectorRegistry())
        self.run = run
        self.options = options or RuleOptions()
        self._notifier = notifier or NoNotifier()
        self._settings: RuleSettings | None = None
        self._loops: dict[str, _GroupLoop] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def environment(self) -> Environment:
        """What rules are evaluated with at present."""
        assert self._settings is not None
        return self._settings.environment

    def groups(self) -> list[GroupState]:
        """The groups by file and name."""
        states = [loop.state for loop in self._loops.values()]
        return sorted(states, key=lambda state: (state.group.file, state.group.name))

    async def apply(self, settings: RuleSettings) -> None:
        """Evaluate these groups from now on. A group that did not change is left alone, its loop and all."""
        restores = self._settings is None or settings.restores_all
        self._settings = settings
        wanted = {group.key: group for group in settings.groups}
        old = {key: loop for key, loop in self._loops.items() if wanted.get(key) != loop.state.group}
        await asyncio.gather(*(loop.stop() for loop in old.values()))
        for key, loop in old.items():
            del self._loops[key]
            if key not in wanted:
                self.metrics.forget(key)
                self._end_later(loop.state)
        for key, group in wanted.items():
            if key not in self._loops:
                state = GroupState(group, self.store, is_restored=key in old or not restores)
                if key in old:
                    state.adopt(old[key].state)
                self._loops[key] = _GroupLoop(state, self)

    async def stop(self) -> None:
        """Evaluate nothing more. No stale markers are written: the program ends, not what it watches."""
        await asyncio.gather(*(loop.stop(now=True) for loop in self._loops.values()))
        for task in self._ending:
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    def tell(self, due: Iterable[Due], time_ms: int, interval_ms: int) -> None:
        """Hand alerts to the notifier."""
        assert self._settings is not None
        environment = self._settings.environment
        valid_for_ms = _VALID_FOR_SENDS * max(interval_ms, self.options.resend_delay_ms)
        alerts = [
            alert
            for each in due
            for alert in outgoing(
                each.alerts,
                each.query,
                valid_until_ms=time_ms + valid_for_ms,
                external_labels=environment.external_labels,
                external_url=environment.external_url,
                relabel_rules=self._settings.relabel_rules,
            )
        ]
        if alerts:
            self._notifier.send(alerts)

    def _end_later(self, state: GroupState) -> None:
        """Mark a group's series stale after two intervals, unless a renamed rule goes on writing them."""
        state.stale_series = state.all_series()
        ended_ms = self.clock.now_ms() - state.query_offset_ms(self.environment)

        async def end() -> None:
            await self.clock.sleep_until(self.clock.now_ms() + 2 * state.group.interval_ms)
            state.mark_stale(ended_ms)

        task = asyncio.create_task(end(), name=f"end series of group {state.group.name}")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


class _GroupLoop:
    """Evaluates one group at its ticks."""

    def __init__(self, state: GroupState, manager: RuleManager) -> None:
        self.state = state
        self._manager = manager
        self._is_evaluating = False
        self._is_stopping = False
        group = state.group
        manager.metrics.start(group.key, group.interval_ms, len(group.rules))
        self._task = asyncio.create_task(self._run_forever(), name=f"rule group {group.name}")

    async def stop(self, *, now: bool = False) -> None:
        """Stop after the evaluation that is under way, or in the midst of it."""
        self._is_stopping = True
        if now or not self._is_evaluating:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run_forever(self) -> None:
        group, clock = self.state.group, self._manager.clock
        due_ms = first_due_ms(clock.now_ms(), group.interval_ms, phase_ms(group))
        evaluations = 0
        while not self._is_stopping:
            await clock.sleep_until(due_ms)
            self._is_evaluating = True
            try:
                await self._evaluate(due_ms)
            except Exception:  # a fault of ours must not end the group for good
                _log.exception("Evaluating rule group failed", extra={"group": group.name})
            self._is_evaluating = False
            evaluations += 1
            if evaluations == 2:
                self._restore(clock.now_ms())
            following_ms = next_due_ms(due_ms, group.interval_ms, clock.now_ms())
            self._count_missed((following_ms - due_ms) // group.interval_ms - 1)
            due_ms = following_ms

    async def _evaluate(self, time_ms: int) -> None:
        manager, state = self._manager, self.state
        group, environment = state.group, manager.environment
        started_ms, begin = manager.clock.now_ms(), time.perf_counter()
        manager.metrics.iterations.labels(group.key).inc()
        state.begin()
        for stage in state.stages:
            snapshot = manager.store.snapshot(manager.clock.now_ms())
            work = partial(state.evaluate, stage, snapshot, time_ms, environment)
            try:
                evaluated = await manager.run(work, (group.key, stage))
            except QueryError as error:  # it waited for a thread until its time was up
                evaluated = [Evaluated(Failed(str(error)), 0.0)] * len(stage)
            due = state.commit(
                stage,
                evaluated,
                time_ms,
                environment,
                resend_delay_ms=manager.options.resend_delay_ms,
                started_ms=started_ms,
            )
            manager.tell(due, time_ms, group.interval_ms)
            self._count_rules(evaluated, stage)
            if self._is_stopping:
                return
        state.mark_stale(time_ms - state.query_offset_ms(environment))
        self._count_group(started_ms, time.perf_counter() - begin)

    def _restore(self, now_ms: int) -> None:
        """Once two evaluations have passed, so that what alerts depend on is scraped and recorded again."""
        manager = self._manager
        alerting = (state for state in self.state.rules if isinstance(state, AlertingState))
        waiting = [state for state in alerting if not state.is_restored]
        if not waiting:
            return
        begin = time.perf_counter()
        snapshot = manager.store.snapshot(now_ms)
        for state in waiting:
            restore(state, snapshot, now_ms, manager.options.restore)
        seconds = time.perf_counter() - begin
        manager.metrics.last_restore_duration.labels(self.state.group.key).set(seconds)

    def _count_missed(self, missed: int) -> None:
        key, metrics = self.state.group.key, self._manager.metrics
        metrics.missed.labels(key).inc(missed)
        metrics.iterations.labels(key).inc(missed)

    def _count_rules(self, evaluated: Sequence[Evaluated], stage: Stage) -> None:
        key, metrics = self.state.group.key, self._manager.metrics
        for each in evaluated:
            metrics.observe_rule(each.duration_seconds)
        metrics.expansions.inc(sum(each.expansions for each in evaluated))
        metrics.failed_expansions.inc(sum(each.failed_expansions for each in evaluated))
        metrics.evaluations.labels(key).inc(len(stage))
        for state, each in zip(self.state.states_of(stage), evaluated, strict=True):
            if state.last_error:
                metrics.failures.labels(key).inc()
                is_canceled = isinstance(each.finding, Failed) and each.finding.is_canceled
                if not is_canceled:
                    self._log_failure(state)

    def _log_failure(self, state: RuleState) -> None:
        group = self.state.group
        who = {"file": group.file, "group": group.name, "rule": state.rule.name}
        _log.warning("Evaluating rule failed", extra={**who, "err": state.last_error})

    def _count_group(self, started_ms: int, seconds: float) -> None:
        state, metrics = self.state, self._manager.metrics
        key = state.group.key
        state.last_evaluation_ms, state.duration_seconds = started_ms, seconds
        metrics.observe_group(seconds)
        metrics.last_evaluation.labels(key).set(started_ms / 1000)
        metrics.last_duration.labels(key).set(seconds)
        metrics.last_samples.labels(key).set(state.samples_written)
        metrics.last_rule_duration_sum.labels(key).set(sum(rule.duration_seconds for rule in state.rules))


def phase_ms(group: RuleGroup) -> int:
    """Where in its interval a group is evaluated: upstream's slot, cut to the millisecond.

    Source: rules.Group.EvalTimestamp and labels.Hash of Prometheus 3.
    """
    texts = [text.encode() for text in ("file", group.file, "name", group.name)]
    digest = xxh64(b"".join(_length(len(text)) + text for text in texts))
    return digest % (group.interval_ms * 1_000_000) // 1_000_000


def _length(size: int) -> bytes:
    """A string's length in Prometheus 3's packed labels: one byte, or 255 and three more."""
    return bytes([size]) if size < 255 else b"\xff" + size.to_bytes(3, "little")
