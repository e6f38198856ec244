"""`info()`: labels of info metrics added to the series of the same target, as upstream's promql/info.go.

An info series belongs to all series with the same `instance` and `job`. Of several info series of one metric
and target, the one with the newest sample counts, so labels may change from step to step.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from query.execution.columns import concat, present_mask, take
from query.execution.context import EvalContext
from query.execution.errors import EvaluationError
from query.execution.matching import shown_labels
from query.execution.names import merge_equal_series
from query.execution.selectors import Shown, select_instant
from query.execution.values import Vector
from query.kernels.grouping import Grouping
from query.language.ast import VectorSelector
from query.plan import nodes
from tsdb import METRIC_NAME, LabelFrame, Matcher, MatchOp, join_groups
from tsdb.sample import BoolArray, IntArray

_IDENTIFYING: Final = ("instance", "job")
_TARGET_INFO: Final = Matcher(METRIC_NAME, MatchOp.EQUAL, "target_info")
_ANY_INFO: Final = Matcher(METRIC_NAME, MatchOp.MATCHES, ".+_info")


def info(node: nodes.FunctionCall, base: Vector, context: EvalContext) -> Vector:
    """`base` with the labels of its info series; info series themselves stay as they are.

    Raises `EvaluationError` if info series of equal age, or of two metrics, contradict each other, or are
    histograms. Steps at which there is nothing to be enriched are not looked at.
    """
    names, wanted = _matchers(node)
    is_info = np.array(
        [all(matcher.matches(name) for matcher in names) for name in base.labels.values(METRIC_NAME)],
        dtype=np.bool_,
    )
    bare = take(base, np.flatnonzero(~is_info))
    infos = _info_series(node, bare.labels, context)
    infos = replace(infos, present=present_mask(infos) & present_mask(base).any(axis=1, keepdims=True))
    joined = _joined(bare, infos)
    mask = joined.mask & present_mask(bare)[:, joined.base]
    if any(not matcher.matches("") for matcher in wanted):
        mask &= (joined.infos >= 0).any(axis=0)
    result = replace(take(replace(bare, present=None), joined.base), present=mask)
    labels = _enriched(result.labels, infos.labels, joined.infos, {matcher.name for matcher in wanted})
    untouched = take(base, np.flatnonzero(is_info))
    return merge_equal_series(concat(replace(result, labels=labels), untouched))


def info_select(node: nodes.FunctionCall) -> nodes.InstantSelect:
    """The selector of all series whose labels a call may add."""
    names, wanted = _matchers(node)
    at_ms, offset_ms = _reference(node.args[0]) or (None, 0)
    matchers = (*names, *wanted)
    return nodes.InstantSelect(matchers, offset_ms, at_ms, VectorSelector(None, matchers))


def _matchers(node: nodes.FunctionCall) -> tuple[Sequence[Matcher], Sequence[Matcher]]:
    """What info metrics are called, and what their labels are to be."""
    selector = node.source.args[1] if len(node.source.args) > 1 else None
    matchers = selector.matchers if isinstance(selector, VectorSelector) else ()
    names = _name_matchers([matcher for matcher in matchers if matcher.name == METRIC_NAME])
    return names, [matcher for matcher in matchers if matcher.name != METRIC_NAME]


def _name_matchers(matchers: Sequence[Matcher]) -> Sequence[Matcher]:
    """What info metrics are called: `target_info` unless said otherwise; if only what not, `.+_info`."""
    if not matchers:
        return (_TARGET_INFO,)
    return (_ANY_INFO, *matchers) if all(matcher.is_negative for matcher in matchers) else matchers


def _info_series(node: nodes.FunctionCall, labels: LabelFrame, context: EvalContext) -> Vector:
    """The info series of the targets in `labels`; their values are the times of their samples."""
    infos = select_instant(info_select(node), context, Shown.TIMESTAMP)
    known = [name for name in _IDENTIFYING if labels.codes(name).any()]
    related = np.full(infos.labels.size, bool(known))
    for name in known:
        codes = labels.codes(name)
        related &= np.isin(infos.labels.codes(name), codes[codes != 0])
    infos = take(infos, np.flatnonzero(related))
    if infos.histograms is not None and (cells := np.argwhere(infos.histograms != None)).size:  # noqa: E711  cell by cell
        shown = shown_labels(infos.labels.series()[int(cells[0, 1])])
        raise EvaluationError(f"this should be an info metric, with float samples: {shown}")
    return infos


def _reference(node: nodes.PlanNode) -> tuple[int | None, int] | None:
    """(at_ms, offset_ms) of the first selector: subqueries around it shift it until an `@` holds it."""
    match node:
        case nodes.InstantSelect() | nodes.RangeSelect():
            return node.at_ms, node.offset_ms
        case nodes.SubqueryRange():
            inner = _reference(node.operand)
            if inner is None or inner[0] is not None:
                return inner
            return node.at_ms, inner[1] + node.offset_ms
        case nodes.FunctionCall():
            children: tuple[nodes.PlanNode, ...] = node.args
        case nodes.BinaryOperation():
            children = (node.lhs, node.rhs)
        case nodes.Aggregate():
            children = (node.operand,) if node.param is None else (node.param, node.operand)
        case nodes.Invariant() | nodes.Negation():
            children = (node.operand,)
        case _:
            children = ()
    return next(filter(None, map(_reference, children)), None)


@dataclass(frozen=True)
class _Joined:
    """Rows of the result: positions `base[row]`, `infos[metric, row]` (-1: none), and `mask[step, row]`."""

    base: IntArray
    infos: IntArray
    mask: BoolArray


def _joined(base: Vector, infos: Vector) -> _Joined:
    """One row for each series and each choice of info series that it has at some step."""
    steps, size = base.values.shape
    metrics = np.unique(infos.labels.codes(METRIC_NAME))
    choices = np.full((len(metrics), steps, size), -1, dtype=np.int64)
    for metric, code in enumerate(metrics.tolist()):
        rows = np.flatnonzero(infos.labels.codes(METRIC_NAME) == code)
        choices[metric] = _choice(base.labels, take(infos, rows), rows)
    choices[:, ~present_mask(base)] = -1
    keys = np.broadcast_to(np.arange(size), (steps, size))
    for choice in choices:
        _, inverse = np.unique(keys * (infos.labels.size + 1) + choice + 1, return_inverse=True)
        keys = inverse.reshape(steps, size)
    distinct, first = np.unique(keys, return_index=True)
    step, series = np.divmod(first, max(size, 1))
    return _Joined(series, choices[:, step, series], keys[:, series] == distinct)


def _choice(base: LabelFrame, infos: Vector, rows: IntArray) -> IntArray:
    """int64[step, series]: of one info metric, the row of the newest series of the same target, or -1."""
    base_ids, info_ids, count = join_groups(base.keep(_IDENTIFYING), infos.labels.keep(_IDENTIFYING))
    filled, dense = np.unique(info_ids, return_inverse=True)
    grouping = Grouping.of(dense, len(filled))
    times = grouping.gather(np.where(present_mask(infos), infos.values, -np.inf))
    newest = np.maximum.reduceat(times, grouping.starts, axis=1)
    is_newest = (times == np.repeat(newest, grouping.sizes, axis=1)) & (times > -np.inf)
    order = np.arange(len(rows)) if grouping.order is None else grouping.order
    if (np.add.reduceat(is_newest, grouping.starts, axis=1, dtype=np.int64) > 1).any():
        raise EvaluationError(_duplicate_text(infos, is_newest, order, grouping))
    winners = np.add.reduceat(is_newest * (rows[order] + 1), grouping.starts, axis=1) - 1
    by_group = np.full((len(times), count), -1, dtype=np.int64)
    by_group[:, filled] = winners
    return by_group[:, base_ids]


def _duplicate_text(infos: Vector, is_newest: BoolArray, order: IntArray, grouping: Grouping) -> str:
    counts = np.add.reduceat(is_newest, grouping.starts, axis=1, dtype=np.int64)
    step, group = (int(each[0]) for each in np.nonzero(counts > 1))
    positions = np.flatnonzero(is_newest[step] & (grouping.ids[order] == group))[:2]
    existing, new = (shown_labels(series) for series in infos.labels.take(order[positions]).series())
    time_ms = round(float(infos.values[step, order[positions[0]]]) * 1000)
    return f"found duplicate series for info metric: existing {existing} @ {time_ms}, new {new} @ {time_ms}"


def _enriched(
    labels: LabelFrame, infos: LabelFrame, choices: IntArray, wanted: Collection[str]
) -> LabelFrame:
    """`labels` with those of the chosen info series, `choices[metric, row]`; if any are wanted, those."""
    for name in infos.names:
        if name == METRIC_NAME or (wanted and name not in wanted):
            continue
        own, offered = labels.codes(name), infos.codes(name)
        added = np.zeros_like(own)
        for choice in choices:
            codes = np.where(choice >= 0, offered[np.maximum(choice, 0)], np.int32(0))
            if ((own == 0) & (added != 0) & (codes != 0) & (codes != added)).any():
                raise EvaluationError(f"conflicting label: {name}")
            added = np.where(codes != 0, codes, added)
        labels = labels.with_codes(name, np.where(own != 0, own, added))
    return labels
