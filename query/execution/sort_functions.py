"""`sort*`: the order of an instant query's result, as upstream's funcSort and funcSortByLabel."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cmp_to_key, partial
from typing import Final

import numpy as np

from query.execution.columns import float_samples, take
from query.execution.context import EvalContext
from query.execution.math_functions import InstantFunction
from query.execution.values import String, Value, Vector
from query.language.ast import Call
from tsdb import LabelFrame
from tsdb.sample import FloatArray, IntArray

_RANGE_QUERY: Final = "sort is ineffective for range queries since results are always ordered by labels"
_CHUNK: Final = re.compile(r"[0-9]+|[^0-9]+")


def _sort(
    key: Callable[[FloatArray], FloatArray], node: Call, args: Sequence[Value], context: EvalContext
) -> Value:
    """By value, NaN last in both directions; histograms are left out."""
    (vector,) = args
    assert isinstance(vector, Vector)
    floats = replace(vector, present=float_samples(vector), histograms=None)
    if not context.is_instant:
        context.annotations.warning(_RANGE_QUERY, node.span)
        return floats
    return take(floats, np.argsort(key(floats.values[0]), kind="stable"))


def _sort_by_label(descending: bool, node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    """By the given labels in natural order; series equal in them by all their labels."""
    vector = args[0]
    assert isinstance(vector, Vector)
    if not context.is_instant:
        context.annotations.warning(_RANGE_QUERY, node.span)
        return vector
    order = _full_order(vector.labels)
    for name in reversed([arg.text for arg in args[1:] if isinstance(arg, String)]):
        ranks = _natural_ranks(vector.labels, name)
        order = order[np.argsort(ranks[order], kind="stable")]
    return take(vector, order[::-1] if descending else order)


def _full_order(labels: LabelFrame) -> IntArray:
    series = labels.series()
    return np.array(sorted(range(len(series)), key=series.__getitem__), dtype=np.int64)


def _natural_ranks(labels: LabelFrame, name: str) -> IntArray:
    """int64[series]: the place of each series' value among the distinct values of a label."""
    codes, index = np.unique(labels.codes(name), return_inverse=True)
    values = labels.scope.decode(name, codes)
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[sorted(range(len(values)), key=lambda row: _natural_key(values[row]))] = np.arange(len(values))
    ordered: IntArray = ranks[index]
    return ordered


def _natural_order(left: str, right: str) -> int:
    """Runs of digits compare as numbers, the rest as text (github.com/facette/natsort)."""
    left_chunks, right_chunks = _CHUNK.findall(left), _CHUNK.findall(right)
    for mine, other in zip(left_chunks, right_chunks, strict=False):
        if mine.isdigit() and other.isdigit():
            if int(mine) != int(other):
                return -1 if int(mine) < int(other) else 1
        elif mine != other:
            return -1 if mine < other else 1
    return len(left_chunks) - len(right_chunks)


_natural_key = cmp_to_key(_natural_order)

SORT_FUNCTIONS: Final[Mapping[str, InstantFunction]] = {
    "sort": partial(_sort, np.positive),
    "sort_desc": partial(_sort, np.negative),
    "sort_by_label": partial(_sort_by_label, False),
    "sort_by_label_desc": partial(_sort_by_label, True),
}
