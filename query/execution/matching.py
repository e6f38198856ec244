"""Which series of two vectors meet in a binary operation, as upstream's promql/engine.go: VectorBinop.

Series meet by their matching labels alone, as integer codes. Whether they do at a step depends on both having
a sample there, so all checks are made a step.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from query.execution.annotations import quoted
from query.execution.columns import concat, present_mask
from query.execution.errors import EvaluationError
from query.execution.values import Vector
from query.kernels.grouping import Grouping
from query.language.ast import Cardinality, VectorMatching
from tsdb import METRIC_NAME, LabelFrame, Labels, join_groups
from tsdb.sample import BoolArray, IntArray

_PLAIN_NAME: Final = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True)
class Side:
    """A vector, and the match group of each of its series, numbered alike on both sides, below `count`."""

    vector: Vector
    groups: IntArray
    count: int


def matched_sides(matching: VectorMatching, many: Vector, one: Vector) -> tuple[Side, Side]:
    """The two sides of an operation, their series grouped by the labels that must match."""
    many_groups, one_groups, count = join_groups(
        match_labels(matching, many.labels), match_labels(matching, one.labels)
    )
    return Side(many, many_groups, count), Side(one, one_groups, count)


def match_labels(matching: VectorMatching, labels: LabelFrame) -> LabelFrame:
    """The labels that must be equal for series to meet."""
    return labels.keep(matching.labels) if matching.on else labels.drop((*matching.labels, METRIC_NAME))


def present_groups(side: Side) -> BoolArray:
    """bool[step, group]: where a match group has a sample on this side."""
    return samples_per_group(side.vector.present, side.groups, side.count, len(side.vector.values)) > 0


def samples_per_group(present: BoolArray | None, groups: IntArray, count: int, steps: int) -> IntArray:
    """int64[step, group]: samples of each group, of those numbered below `count`, at each step."""
    sizes = np.bincount(groups, minlength=count)
    if present is None:
        return np.broadcast_to(sizes, (steps, count))
    samples = np.zeros((steps, count), dtype=np.int64)
    filled = np.flatnonzero(sizes)
    if len(filled):
        grouping = Grouping.of(np.searchsorted(filled, groups), len(filled))
        masks = grouping.gather_mask(present)
        samples[:, filled] = np.add.reduceat(masks, grouping.starts, axis=1, dtype=np.int64)
    return samples


def pair(many: Side, one: Side) -> tuple[IntArray, IntArray]:
    """Positions (many[pair], one[pair]) of all series of the same match group, in the order of `many`."""
    order = np.argsort(one.groups, kind="stable")
    sizes = np.bincount(one.groups, minlength=one.count)
    starts = np.cumsum(sizes) - sizes
    partners = sizes[many.groups]
    first_pair = np.cumsum(partners) - partners
    many_rows = np.repeat(np.arange(len(many.groups)), partners)
    rank = np.arange(len(many_rows)) - np.repeat(first_pair, partners)
    return many_rows, order[starts[many.groups][many_rows] + rank]


def filled(
    side: Side, other: Side, fill: float | None, matching: VectorMatching, matched: BoolArray | None = None
) -> Side:
    """`side` with stand-ins of value `fill` for match groups of `other` that are not `matched[step, group]`.

    By default those are matched that `side` has a sample of.
    """
    if fill is None:
        return side
    matched = present_groups(side) if matched is None else matched
    groups, first = np.unique(other.groups, return_index=True)
    missing = present_groups(other)[:, groups] & ~matched[:, groups]
    stand_ins = Vector(
        match_labels(matching, other.vector.labels).take(first), np.full(missing.shape, fill), missing
    )
    return Side(concat(side.vector, stand_ins), np.concatenate((side.groups, groups)), side.count)


def require_unique_one_side(matching: VectorMatching, many: Side, one: Side) -> None:
    """Raises `EvaluationError` if at some step two samples of the "one" side share a match group.

    Without fill values, upstream looks only at steps where the other side has samples at all.
    """
    if np.bincount(one.groups, minlength=1).max(initial=0) <= 1:
        return
    steps = len(one.vector.values)
    clashes = samples_per_group(one.vector.present, one.groups, one.count, steps) > 1
    if matching.fill_left is None and matching.fill_right is None:
        clashes = clashes & np.any(present_mask(many.vector), axis=1, keepdims=True)
    if clashes.any():
        step = int(np.flatnonzero(clashes.any(axis=1))[0])
        raise EvaluationError(_duplicate_text(matching, one, step))


def require_unique_pairs(
    matching: VectorMatching, pair_groups: IntArray, labels: LabelFrame, present: BoolArray | None, steps: int
) -> None:
    """Raises `EvaluationError` if at some step two pairs of a match group can't be told apart.

    `pair_groups` are the match groups of the pairs, `labels` those of their results.
    """
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        groups = pair_groups
        text = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
    else:
        groups = pair_groups * labels.size + labels.group().ids
        text = "multiple matches for labels: grouping labels must ensure unique matches"
    distinct, dense = np.unique(groups, return_inverse=True)
    if len(distinct) < len(groups) and (samples_per_group(present, dense, len(distinct), steps) > 1).any():
        raise EvaluationError(text)


def _duplicate_text(matching: VectorMatching, one: Side, step: int) -> str:
    rows = np.flatnonzero(present_mask(one.vector)[step])
    seen: dict[int, int] = {}
    for row in rows.tolist():
        earlier = seen.setdefault(int(one.groups[row]), row)
        if earlier != row:
            break
    labels = one.vector.labels.take(np.array([earlier, row]))
    group = shown_labels(match_labels(matching, labels).series()[0])
    hand = "left" if matching.cardinality is Cardinality.ONE_TO_MANY else "right"
    first, second = sorted(shown_labels(series) for series in labels.series())
    return (
        f"found duplicate series for the match group {group} on the {hand} hand-side of the operation: "
        f"[{first}, {second}];many-to-many matching not allowed: matching labels must be unique on one side"
    )


def shown_labels(labels: Labels) -> str:
    """A label set as upstream prints it."""
    pairs = (
        f"{name if _PLAIN_NAME.fullmatch(name) else quoted(name)}={quoted(value)}" for name, value in labels
    )
    return "{" + ", ".join(pairs) + "}"
