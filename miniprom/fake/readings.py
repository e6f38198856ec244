"""What a query that was answered had read, and why its answer was empty."""

from collections.abc import Mapping
from typing import Any, Final

from miniprom.api.params import MAX_TIME_MS, MIN_TIME_MS
from miniprom.api.watch import Evaluation
from query import QueryError
from query.execution.result import InstantVector, ResultValue, ScalarPoint, StringPoint
from tsdb import METRIC_NAME, Matcher, MatchOp, Snapshot

NOTHING_READ: Final[Mapping[str, Any]] = {
    "result_type": None,
    "series": None,
    "samples_read": None,
    "series_read": None,
    "empty": False,
    "why": (),
    "metrics": (),
    "unknown_metrics": (),
    "warnings": (),
    "infos": (),
}
"""Of a request that asks no query, or gets no answer to it."""


def readings(evaluation: Evaluation) -> Mapping[str, Any]:
    """The journal's fields on a query that was answered."""
    result, snapshot = evaluation.result, evaluation.snapshot
    reads = evaluation.engine.reads(evaluation.query, evaluation.window)
    metrics = sorted({one.value for read in reads for one in read.matchers if _is_name(one)})
    kind, series = _shape(result.value)
    return {
        "result_type": kind,
        "series": series,
        "samples_read": result.stats.total_samples,
        "series_read": sum(
            snapshot.series([read.matchers], read.start_ms + 1, read.end_ms).size for read in reads
        ),
        "empty": series == 0,
        "why": () if series else _why(evaluation),
        "metrics": metrics,
        "unknown_metrics": [name for name in metrics if not _is_known(snapshot, name)],
        "warnings": result.annotations.warnings,
        "infos": result.annotations.infos,
    }


def _shape(value: ResultValue) -> tuple[str, int]:
    match value:
        case ScalarPoint():
            return "scalar", 1
        case StringPoint():
            return "string", 1
        case _:
            return "vector" if isinstance(value, InstantVector) else "matrix", value.labels.size


def _why(evaluation: Evaluation) -> list[str]:
    try:
        diagnosis = evaluation.engine.why(evaluation.snapshot, evaluation.query, evaluation.window)
    except QueryError:  # what took part of the query to answer may be too much for all of it
        return []
    return [finding.text for finding in diagnosis.findings]


def _is_known(snapshot: Snapshot, name: str) -> bool:
    named = Matcher(METRIC_NAME, MatchOp.EQUAL, name)
    return snapshot.series([[named]], MIN_TIME_MS, MAX_TIME_MS).size > 0


def _is_name(matcher: Matcher) -> bool:
    return matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL
