"""Runs a test file: rules over input series in a store of their own, time given by the file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

import re2

from miniprom.errors import MinipromError
from miniprom.promqltest.errors import NotationError
from miniprom.rules.evaluation import Environment
from miniprom.rules.files import RuleFileOptions, load_rule_files, matching_files
from miniprom.rules.group_state import GroupState
from miniprom.rules.model import RuleGroup
from miniprom.ruletest.comparison import Difference, alert_difference, query_difference
from miniprom.ruletest.coverage import Coverage
from miniprom.ruletest.files import TestFile, TestGroup
from miniprom.ruletest.input import Input
from query import Engine, EngineOptions, ParserOptions, QueryWindow
from query.language.parser import UPSTREAM_DEFAULTS
from tsdb import Store


class BadPatternError(MinipromError):
    """A `--run` that is no regular expression."""


@dataclass(frozen=True)
class TestOptions:
    """How tests are run. `run` holds patterns of test names; none is all."""

    __test__ = False  # not one of pytest's

    run: tuple[str, ...] = ()
    ignore_unknown_keys: bool = False
    parser: ParserOptions = UPSTREAM_DEFAULTS
    coverage: Coverage | None = None


@dataclass(frozen=True)
class TestResult:
    """What became of one test; `groups` and `store` are as it left them."""

    __test__ = False  # not one of pytest's

    name: str
    problems: tuple[Difference, ...]
    duration_seconds: float
    store: Store
    groups: Sequence[GroupState]
    end_ms: int


def run_test_file(file: TestFile, options: TestOptions = TestOptions()) -> Iterator[TestResult]:
    """Run the tests one by one. Raises `RuleFileError` for the rules that they are about."""
    wanted = _name_filter(options.run)
    rule_files, _ = matching_files(file.rule_files)
    for position, test in enumerate(file.tests):
        name = test.name or f"unnamed#{position}"
        if not wanted(test.name):
            continue
        begin = perf_counter()
        rule_options = RuleFileOptions(
            interval_ms=test.interval_ms or file.interval_ms,
            parser=options.parser,
            ignore_unknown_keys=options.ignore_unknown_keys,
        )
        run = _Run(test, file, load_rule_files(rule_files, rule_options), options)
        problems = tuple(run.problems())
        yield TestResult(name, problems, perf_counter() - begin, run.store, run.groups, run.end_ms)


class _Run:
    """One test while it runs."""

    def __init__(
        self, test: TestGroup, file: TestFile, groups: Sequence[RuleGroup], options: TestOptions
    ) -> None:
        self.store = Store(retention_ms=None)
        order = {name: position for position, name in enumerate(file.group_eval_order)}
        ordered = sorted(groups, key=lambda group: order.get(group.name, 0))
        self.groups = [GroupState(group, self.store) for group in ordered]
        self.start_ms = test.start_ms
        self.end_ms = self.start_ms + test.last_eval_time_ms
        self._test = test
        self._file = file
        self._coverage = options.coverage
        if self._coverage:
            self._coverage.expect(groups)
        engine = Engine(EngineOptions(default_subquery_step_ms=file.interval_ms, parser=options.parser))
        self._environment = Environment(engine, test.external_labels, test.external_url)

    def problems(self) -> Iterator[Difference]:
        """What is not as expected. Ends early where a rule fails."""
        interval_ms = self._file.interval_ms
        try:
            series = Input(self._test.input_series, self.start_ms, self._test.interval_ms or interval_ms)
            for time_ms in range(self.start_ms, self.end_ms + 1, interval_ms):
                series.feed(self.store, time_ms)
                failures = list(self._evaluate(time_ms))
                if failures:
                    yield from failures
                    return
                yield from self._alert_problems(time_ms - self.start_ms)
        except NotationError as error:
            yield Difference(str(error))
            return
        for test in self._test.promql_expr_test:
            time_ms = self.start_ms + test.eval_time_ms
            ask = partial(self._environment.engine.instant, self.store.snapshot(time_ms), test.expr, time_ms)
            if difference := query_difference(test, ask, fuzzy=self._file.fuzzy_compare):
                is_void = difference.expected and not difference.got
                yield replace(difference, why=self._why(test.expr, time_ms)) if is_void else difference

    def _why(self, expr: str, time_ms: int) -> tuple[str, ...]:
        """Why the answer to a query is empty."""
        window = QueryWindow(time_ms, time_ms, 0)
        diagnosis = self._environment.engine.why(self.store.snapshot(time_ms), expr, window)
        return tuple(finding.text for finding in diagnosis.findings)

    def _evaluate(self, time_ms: int) -> Iterator[Difference]:
        for group in self.groups:
            for stage in group.stages:
                snapshot = self.store.snapshot(time_ms)
                evaluated = group.evaluate(stage, snapshot, time_ms, self._environment)
                group.commit(stage, evaluated, time_ms, self._environment)
                if self._coverage:
                    self._coverage.see(group, stage, snapshot, time_ms, self._environment)
            for state in group.rules:
                if state.last_error:
                    after = (time_ms - self.start_ms) / 1000
                    who = f'group "{group.group.name}", rule "{state.rule.name}" at {after:g}s'
                    yield Difference(f"{who}: {state.last_error}")

    def _alert_problems(self, after_ms: int) -> Iterator[Difference]:
        """The tests of alerts between this evaluation and the next."""
        for test in sorted(self._test.alert_rule_test, key=lambda test: test.eval_time_ms):
            is_due = after_ms <= test.eval_time_ms < after_ms + self._file.interval_ms
            if is_due and (difference := alert_difference(test, self.groups)):
                yield difference


def _name_filter(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether one of the patterns is found in a name. Raises `BadPatternError`."""
    if not patterns:
        return lambda name: True  # noqa: ARG005  all names will do
    try:
        search = re2.compile("|".join(patterns)).search
    except re2.error as error:
        raise BadPatternError(f"--run: {error}") from error
    return lambda name: search(name) is not None
