"""What the rules of a stage say at one time. Runs in a worker thread: reads a snapshot, writes nothing."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from miniprom.query_log import QueryLog
from miniprom.rules.errors import RuleError
from miniprom.rules.model import AlertingRule, RecordingRule, Rule
from miniprom.rules.states import Sighting
from miniprom.rules.templating import Expander
from miniprom.statistics import statistics_object, timings_seconds
from query import Batch, Control, Engine, InstantVector, QueryCanceledError, QueryError, Result, ScalarPoint
from query.execution.values import HistogramArray
from tsdb import METRIC_NAME, LabelFrame, Labels, Snapshot, labels_from
from tsdb.sample import FloatArray

_log: Final = logging.getLogger(__name__)

ALERT_NAME: Final = "alertname"


@dataclass(frozen=True)
class Environment:
    """What all rules are evaluated with; replaced when the configuration is."""

    engine: Engine
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    query_offset_ms: int = 0
    query_log: QueryLog | None = None


@dataclass(frozen=True)
class Recorded:
    """What a recording rule has found: a sample a series, as `InstantVector` has them."""

    labels: LabelFrame
    values: FloatArray
    histograms: HistogramArray | None = None


@dataclass(frozen=True)
class Sighted:
    """The series for which an alerting rule's condition holds."""

    sightings: tuple[Sighting, ...]


@dataclass(frozen=True)
class Failed:
    """Why a rule could not be evaluated; cancelling is nothing to report."""

    reason: str
    is_canceled: bool = False


LogQuery: TypeAlias = Callable[[str, Mapping[str, object], str], None]
"""Takes a query, what it took, and the error, "" for none."""

Finding: TypeAlias = Recorded | Sighted | Failed


@dataclass(frozen=True)
class Evaluated:
    """A rule's finding, the time it took, and how many templates it expanded, and how many of them failed."""

    finding: Finding
    duration_seconds: float
    expansions: int = 0
    failed_expansions: int = 0


def evaluate_rules(
    rules: Sequence[Rule],
    queries: Batch,
    snapshot: Snapshot,
    time_ms: int,
    environment: Environment,
    *,
    query_offset_ms: int = 0,
    limit: int = 0,
    log: LogQuery | None = None,
    control: Control | None = None,
) -> list[Evaluated]:
    """The findings of rules that don't depend on each other's; `queries` are theirs. One fails alone."""
    engine = environment.engine
    results = engine.instants(snapshot, queries, time_ms - query_offset_ms, control=control)
    evaluated = []
    for rule, result in zip(rules, results, strict=True):
        begin = time.perf_counter()
        expander = Expander(engine, snapshot, time_ms, environment.external_labels, environment.external_url)
        asked = partial(_logged, rule, result, log) if log else result
        finding = _finding(rule, asked, expander, limit)
        seconds = time.perf_counter() - begin
        evaluated.append(Evaluated(finding, seconds, expander.expansions, expander.failures))
    return evaluated


def _finding(rule: Rule, result: Callable[[], Result], expander: Expander, limit: int) -> Finding:
    try:
        vector = vector_of(result(), expander.snapshot)
        if isinstance(rule, AlertingRule):
            return Sighted(sightings_of(rule, vector, expander))
        return recorded_by(rule, vector, limit)
    except (QueryError, RuleError) as error:
        return Failed(str(error), isinstance(error, QueryCanceledError))
    except Exception as error:
        _log.exception("Evaluating rule failed unexpectedly", extra={"rule": rule.name})
        return Failed(f"unexpected error: {error!r}")


def _logged(rule: Rule, result: Callable[[], Result], log: LogQuery) -> Result:
    begin = time.perf_counter()
    try:
        found = result()
    except QueryError as error:
        log(rule.query, {}, str(error))
        raise
    timings = timings_seconds(found.stats, time.perf_counter() - begin)
    log(rule.query, statistics_object(found.stats, timings), "")
    return found


def vector_of(result: Result, snapshot: Snapshot) -> InstantVector:
    """The result of a rule's query; a scalar as a vector. Raises `RuleError`."""
    value = result.value
    if isinstance(value, ScalarPoint):
        return InstantVector(
            value.time_ms, LabelFrame.empty(snapshot.scope, 1), np.array([value.value], dtype=np.float64)
        )
    if not isinstance(value, InstantVector):
        raise RuleError("rule result is not a vector or scalar")
    return value


def recorded_by(rule: RecordingRule, vector: InstantVector, limit: int) -> Recorded:
    """The samples under the rule's name and labels. Raises `RuleError`: too many, or two of one series."""
    labels = vector.labels
    for name, value in ((METRIC_NAME, rule.name), *rule.labels):
        code = labels.scope.encode(name, value)
        labels = labels.with_codes(name, np.full(labels.size, code, dtype=np.int32))
    if labels.size > 1 and labels.group().count < labels.size:
        raise RuleError("vector contains metrics with the same labelset after applying rule labels")
    if 0 < limit < labels.size:
        raise RuleError(f"exceeded limit of {limit} with {labels.size} series")
    return Recorded(labels, vector.values, vector.histograms)


def sightings_of(rule: AlertingRule, vector: InstantVector, expander: Expander) -> tuple[Sighting, ...]:
    """The alerts that the vector's series stand for. Raises `RuleError` where two have the same labels."""
    sightings = []
    values = vector.values.tolist()
    for position, series in enumerate(vector.labels.series()):
        histogram = None if vector.histograms is None else vector.histograms[position]
        value = values[position] if histogram is None else 0.0
        expand = expander.of(rule.name, dict(series), value if histogram is None else histogram)
        labels = {name: text for name, text in series if name != METRIC_NAME}
        labels.update((name, expand(text)) for name, text in rule.labels)
        labels[ALERT_NAME] = rule.name
        annotations = {name: expand(text) for name, text in rule.annotations}
        sightings.append(Sighting(labels_from(labels), value, annotations))
    if _any_twice([sighting.labels for sighting in sightings]):
        raise RuleError("vector contains metrics with the same labelset after applying alert labels")
    return tuple(sightings)


def _any_twice(label_sets: Sequence[Labels]) -> bool:
    return any(count > 1 for count in Counter(label_sets).values())
