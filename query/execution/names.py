"""Metric names that are to go, and series that become one without them.

Most functions take the name off their result. Upstream does so at once, or, with the delayed name removal, at
the end of the evaluation (engine.go: cleanupMetricLabels, mergeSeriesWithSameLabelset). Operators call
`unnamed` and need not know which.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from query.execution.context import EvalContext
from query.execution.errors import EvaluationError
from query.execution.values import Vector
from tsdb import METRIC_NAME, LabelFrame
from tsdb.sample import BoolArray, IntArray

METADATA_LABELS: Final = (METRIC_NAME, "__type__", "__unit__")
DUPLICATE_LABELS: Final = "vector cannot contain metrics with the same labelset"


def unnamed(labels: LabelFrame, context: EvalContext) -> tuple[LabelFrame, BoolArray | None]:
    """(labels, drop_name) of a result whose series all lose their name, now or later."""
    if context.options.delayed_name_removal:
        return labels, np.ones(labels.size, dtype=np.bool_)
    return labels.drop(METADATA_LABELS), None


def drop_flagged_names(vector: Vector) -> Vector:
    """The vector with the names off that `drop_name` flags, and series that became equal merged.

    Raises `EvaluationError` where two of them have a sample at one step.
    """
    flags = vector.drop_name
    if flags is None or not flags.any():
        return merge_equal_series(vector)
    labels = vector.labels
    if flags.all():
        labels = labels.drop(METADATA_LABELS)
    else:
        for name in METADATA_LABELS:
            if name in labels.columns:
                labels = labels.with_codes(name, np.where(flags, np.int32(0), labels.codes(name)))
    return merge_equal_series(replace(vector, labels=labels, drop_name=None))


def merge_equal_series(vector: Vector) -> Vector:
    """One series for each label set, if no two of them have a sample at one step.

    Raises `EvaluationError` otherwise.
    """
    groups = vector.labels.group()
    if groups.count == vector.labels.size:
        return vector
    if vector.present is None:
        raise EvaluationError(DUPLICATE_LABELS)
    order = np.argsort(groups.ids, kind="stable")
    starts = np.searchsorted(groups.ids[order], np.arange(groups.count))
    samples = np.add.reduceat(vector.present[:, order], starts, axis=1, dtype=np.int64)
    if samples.max(initial=0) > 1:
        raise EvaluationError(DUPLICATE_LABELS)
    return _merged(vector, groups.ids, groups.first)


def require_distinct_labels(labels: LabelFrame, named: LabelFrame) -> None:
    """Raises `EvaluationError` if two series that differ in `named` are equal in `labels`, names off.

    Where all have the same name, losing it makes none equal.
    """
    taken = [named.columns[name] for name in METADATA_LABELS if name in named.columns]
    if all(len(codes) == 0 or (codes == codes[0]).all() for codes in taken):
        return
    if labels.group().count != labels.size:
        raise EvaluationError(DUPLICATE_LABELS)


def _merged(vector: Vector, group_of: IntArray, first: IntArray) -> Vector:
    """Requires: `present` given, and at most one sample a group and step."""
    assert vector.present is not None
    steps, series = np.nonzero(vector.present)
    shape = (vector.values.shape[0], len(first))
    values = np.zeros(shape)
    present = np.zeros(shape, dtype=np.bool_)
    values[steps, group_of[series]] = vector.values[steps, series]
    present[steps, group_of[series]] = True
    histograms = None
    if vector.histograms is not None:
        histograms = np.full(shape, None, dtype=object)
        histograms[steps, group_of[series]] = vector.histograms[steps, series]
    drop_name = None
    if vector.drop_name is not None:
        # As upstream, which makes a series of the first sample that comes.
        first_step = np.where(vector.present.any(axis=0), vector.present.argmax(axis=0), len(vector.present))
        earliest = np.lexsort((first_step, group_of))
        drop_name = vector.drop_name[earliest[np.searchsorted(group_of[earliest], np.arange(len(first)))]]
    return Vector(vector.labels.take(first), values, present, histograms, drop_name)
