"""Classic histograms: series of one metric that differ in `le`, seen as histograms with buckets.

Upstream: promql/engine.go, resetHistograms. Histograms with the same bounds are computed in one go.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

import numpy as np

from query.execution.annotations import for_metric, quoted
from query.execution.columns import float_samples, is_identity, present_mask, take
from query.execution.context import EvalContext
from query.execution.values import Vector
from query.kernels.grouped import REDUCTIONS, group_present
from query.kernels.grouping import Grouping, step_blocks
from query.language.ast import Span
from tsdb import METRIC_NAME, LabelFrame, join_groups
from tsdb.sample import BoolArray, FloatArray, IntArray

BUCKET_LABEL: Final = "le"

_NUMBER: Final = re.compile(
    r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII
)


_Matrix = TypeVar("_Matrix", FloatArray, BoolArray)


@dataclass(frozen=True)
class ClassicHistograms:
    """`labels` are those of the histograms, with the name and without `le`.

    `counts[step, bucket]` stand histogram by histogram, ascending by `bounds[bucket]`; `grouping` says which
    buckets are whose.
    """

    labels: LabelFrame
    bounds: FloatArray
    counts: FloatArray
    present: BoolArray | None
    grouping: Grouping


Cells: TypeAlias = tuple[slice | IntArray, IntArray]
"""Steps and histograms: an index into [step, histogram]."""

Evaluate: TypeAlias = Callable[[Cells, FloatArray, FloatArray], FloatArray]
"""(cells, bounds[bucket], counts[bucket, *cells]) -> float64[*cells]."""


def classic_histograms(vector: Vector, span: Span, context: EvalContext) -> ClassicHistograms:
    """The histograms among the floats of a vector; series without a good `le` are remarked on."""
    bounds = _upper_bounds(vector.labels)
    present = float_samples(vector)
    _remark_bad_bounds(vector, present, bounds, span, context)
    rows = np.flatnonzero(~np.isnan(bounds))
    labels = vector.labels.drop((BUCKET_LABEL,)).take(rows)
    groups = labels.group()
    order = np.lexsort((bounds[rows], groups.ids))
    rows, ids, bounds = rows[order], groups.ids[order], bounds[rows][order]
    values = vector.values
    if not is_identity(rows, vector.labels.size):
        values, present = values[:, rows], None if present is None else present[:, rows]
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = (ids[1:] != ids[:-1]) | (bounds[1:] != bounds[:-1])
    if not new.all():
        # Bounds that differ as text only, such as 1 and 1.0: upstream adds their counts up.
        same = Grouping.of(np.cumsum(new) - 1, int(np.count_nonzero(new)))
        values, present = REDUCTIONS["sum"](values, present, same), group_present(present, same)
        ids, bounds = ids[new], bounds[new]
    return ClassicHistograms(
        labels.take(groups.first), bounds, values, present, Grouping.of(ids, groups.count)
    )


def native_histograms(vector: Vector) -> Vector:
    """The series of a vector that have native histograms, without their floats."""
    if vector.histograms is None:
        return take(vector, np.empty(0, dtype=np.int64))
    present: BoolArray = np.not_equal(vector.histograms, np.array(None)) & present_mask(vector)
    return take(replace(vector, present=present), np.flatnonzero(present.any(axis=0)))


def without_clashes(
    classic: ClassicHistograms, native: Vector
) -> tuple[ClassicHistograms, Vector, LabelFrame]:
    """Both without the samples at steps where one of each has the same labels, and those labels."""
    native_ids, classic_ids, _ = join_groups(native.labels, classic.labels)
    _, native_rows, classic_rows = np.intersect1d(native_ids, classic_ids, return_indices=True)
    if not len(native_rows):
        return classic, native, native.labels.take(native_rows)
    steps = len(native.values)
    filled = present_mask(Vector(classic.labels, classic.counts, classic.present))
    classic_present = group_present(filled, classic.grouping)
    if classic_present is None:
        classic_present = np.ones((steps, classic.grouping.count), dtype=np.bool_)
    native_present = present_mask(native).copy()
    clash = native_present[:, native_rows] & classic_present[:, classic_rows]
    native_present[:, native_rows] &= ~clash
    cleared = np.zeros_like(classic_present)
    cleared[:, classic_rows] = clash
    counted = filled & ~cleared[:, classic.grouping.ids]
    clashing = native.labels.take(native_rows[clash.any(axis=0)])
    return replace(classic, present=counted), replace(native, present=native_present), clashing


def evaluate(
    histograms: ClassicHistograms, steps: int, function: Evaluate
) -> tuple[FloatArray, BoolArray | None]:
    """(values[step, histogram], present) of a function that is applied to histograms with equal bounds.

    A bucket without a sample at a step is not part of the histogram there.
    """
    grouping = histograms.grouping
    values = np.full((steps, grouping.count), np.nan)
    for members, columns in _batches(histograms):
        bounds = histograms.bounds[columns[0]]
        for rows in step_blocks(steps, columns.size):
            counts = _buckets_first(histograms.counts[rows], columns)
            if histograms.present is None:
                values[rows, members] = function((rows, members), bounds, counts)
                continue
            filled = _buckets_first(histograms.present[rows], columns)
            whole = np.where(filled.all(axis=0), counts, np.nan)
            values[rows, members] = function((rows, members), bounds, whole)
            _evaluate_partial(function, (rows, members), bounds, counts, filled=filled, values=values)
    return values, group_present(histograms.present, grouping)


def _batches(histograms: ClassicHistograms) -> Iterator[tuple[IntArray, IntArray]]:
    """(histogram[n], bucket[n, position]) of histograms that share their bounds."""
    grouping = histograms.grouping
    for size in np.unique(grouping.sizes):
        members = np.flatnonzero(grouping.sizes == size)
        columns = grouping.starts[members][:, None] + np.arange(size)
        bounds = histograms.bounds[columns]
        if (bounds == bounds[0]).all():
            yield members, columns
            continue
        _, layout = np.unique(bounds, axis=0, return_inverse=True)
        for each in range(int(layout.max()) + 1):
            yield members[layout == each], columns[layout == each]


def _buckets_first(matrix: _Matrix, columns: IntArray) -> _Matrix:
    """`matrix[step, column]` as [bucket, step, histogram], for `columns[histogram, bucket]`."""
    return np.moveaxis(matrix[:, columns.T], 1, 0)


def _evaluate_partial(
    function: Evaluate,
    cells: Cells,
    bounds: FloatArray,
    counts: FloatArray,
    *,
    filled: BoolArray,
    values: FloatArray,
) -> None:
    """Overwrite the cells where some of the buckets are missing, those with the same ones together."""
    partial = filled.any(axis=0) & ~filled.all(axis=0)
    if not partial.any():
        return
    block, members = cells
    assert isinstance(block, slice)
    steps, positions = np.nonzero(partial)
    patterns, pattern_of = np.unique(filled[:, partial].T, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        at = np.flatnonzero(pattern_of == number)
        where = (steps[at] + block.start, members[positions[at]])
        values[where] = function(where, bounds[pattern], counts[:, steps[at], positions[at]][pattern])


def _upper_bounds(labels: LabelFrame) -> FloatArray:
    """float64[series]; NaN where `le` is missing or no number."""
    codes, index = np.unique(labels.codes(BUCKET_LABEL), return_inverse=True)
    values = labels.scope.decode(BUCKET_LABEL, codes)
    return np.array([_bound(text) for text in values], dtype=np.float64)[index]


@lru_cache(1024)
def _bound(text: str) -> float:
    """As Go's strconv.ParseFloat: a number that leaves float64 is none."""
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return math.nan if math.isinf(value) and text[-1].isdigit() else value


def _remark_bad_bounds(
    vector: Vector, present: BoolArray | None, bounds: FloatArray, span: Span, context: EvalContext
) -> None:
    bad = np.isnan(bounds)
    if not bad.any():
        return
    if present is not None:
        bad &= present.any(axis=0)
    labels = vector.labels.take(bad).keep((BUCKET_LABEL, METRIC_NAME))
    labels = labels.take(labels.group().first)
    names = labels.values(METRIC_NAME) if context.options.delayed_name_removal else [""] * labels.size
    for name, bound in zip(names, labels.values(BUCKET_LABEL), strict=True):
        text = f'bucket label "le" is missing or has a malformed value of {quoted(bound)}'
        context.annotations.warning(for_metric(text, name), span)
