"""A store's labels and rings as they are held: what a snapshot on disk is made of, and a store restored from.

Series stand here as positions in the table of labels.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tsdb.block import Block, Layout
from tsdb.encoding import Constant, Decimals, Deltas, Offsets, Plain, Runs, Stripe
from tsdb.labelframe import LabelFrame
from tsdb.ring import RingView
from tsdb.sample import CodeArray, FloatArray, IntArray, is_absent
from tsdb.times import Times


class LabelTable(NamedTuple):
    """Labels of series, by name: the distinct values, and which of them each series has, "" for none."""

    size: int
    names: list[str]
    values: list[list[str]]
    codes: list[NDArray[Any]]

    @staticmethod
    def of(frame: LabelFrame) -> "LabelTable":
        names = list(frame.names)
        distinct = [np.flatnonzero(np.bincount(frame.codes(name))).astype(np.int32) for name in names]
        return LabelTable(
            frame.size,
            names,
            [frame.scope.decode(name, used) for name, used in zip(names, distinct, strict=True)],
            [
                np.searchsorted(used, frame.codes(name)).astype(np.min_scalar_type(len(used)))
                for name, used in zip(names, distinct, strict=True)
            ],
        )


@dataclass(frozen=True, slots=True)
class HeldRing:
    """The samples of series that share timestamps. Each of `blocks` has some of the series, in any order."""

    series: IntArray
    first_ms: IntArray
    newest_ms: IntArray
    blocks: tuple[Block, ...]
    head_series: CodeArray
    head_times_ms: IntArray
    head: FloatArray
    """`head[row, column]`: the newest rows, for `head_series`."""


def held(
    view: RingView,
    position_of: Callable[[CodeArray], IntArray],
    first_ms: IntArray,
    newest_ms: IntArray,
    oldest_ms: int,
) -> HeldRing | None:
    """A ring without what is older than `oldest_ms`; None if nothing is left.

    `position_of` tells the positions of the ring's own series, -1 for one that left it; `first_ms` and
    `newest_ms` are those of each position when the view was taken.
    """
    layouts: dict[int, Layout] = {}
    blocks = []
    for block in view.blocks:
        layout = layouts.setdefault(id(block.layout), Layout(position_of(block.layout.series)))
        if block.times.last_ms >= oldest_ms and (layout.series >= 0).any():
            blocks.append(_kept(block, layout, oldest_ms))
    positions = position_of(view.layout.series)
    owned = np.flatnonzero(positions >= 0)
    rows = slice(int(np.searchsorted(view.timestamps_ms[: view.rows], oldest_ms)), view.rows)
    head_series, times_ms, head = positions[owned], view.timestamps_ms[rows].copy(), view.values[rows, owned]
    series = np.unique(np.concatenate([head_series, *(block.layout.series for block in blocks)]))
    if not len(series):
        return None
    newest_ms = newest_ms[series]
    # Cells of the head may have been filled since.
    for time_ms, present in zip(times_ms, ~is_absent(head), strict=True):
        at = np.searchsorted(series, head_series[present])
        newest_ms[at] = np.maximum(newest_ms[at], time_ms)
    return HeldRing(
        series, first_ms[series], newest_ms, tuple(blocks), head_series.astype(np.int32), times_ms, head
    )


def _kept(block: Block, layout: Layout, oldest_ms: int) -> Block:
    """The block of the series in the layout that are not -1, and of the rows not older."""
    kept = np.flatnonzero(layout.series >= 0)
    if len(kept) == len(layout) and block.times.first_ms >= oldest_ms:
        return replace(block, layout=layout)
    timestamps_ms = block.times.read()
    first = int(np.searchsorted(timestamps_ms, oldest_ms))
    values = np.ascontiguousarray(block.read(kept, slice(first, len(timestamps_ms))))
    return Block.sealed(Layout(layout.series[kept]), timestamps_ms[first:], values)


def describe_ring(ring: HeldRing) -> list[Any]:
    """The ring in lists, numbers and arrays."""
    blocks = []
    layout: Layout | None = None
    for block in ring.blocks:
        # Where a block has the layout of the one before, it is said once, and shared when it is read.
        series = None if block.layout is layout else block.layout.series
        layout = block.layout
        stripes = [_describe(stripe) for stripe in block.stripes]
        times = [getattr(block.times, field.name) for field in fields(Times)]
        blocks.append([series, times, stripes, block.stripe_of, block.place_of])
    head = [ring.head_series, ring.head_times_ms, ring.head]
    return [ring.series, ring.first_ms, ring.newest_ms, blocks, *head]


def ring_of(description: list[Any], ids: IntArray) -> HeldRing:
    """The ring that was described; its series are `ids[position]`."""
    series, first_ms, newest_ms, described, head_series, head_times_ms, head = description
    blocks = []
    layout = Layout(ids[:0])
    for positions, times, stripes, stripe_of, place_of in described:
        layout = layout if positions is None else Layout(ids[positions])
        held = tuple([_stripe(stripe) for stripe in stripes])
        blocks.append(Block(layout, Times(*times), held, stripe_of, place_of))
    return HeldRing(
        ids[series], first_ms, newest_ms, tuple(blocks), Layout(ids[head_series]).series, head_times_ms, head
    )


def _describe(stripe: Stripe) -> list[Any]:
    """The number of its kind, and its fields."""
    values = [getattr(stripe, field.name) for field in fields(stripe)]
    parts = [_describe(value) if isinstance(value, Offsets | Deltas) else value for value in values]
    return [_KINDS.index(type(stripe)), *parts]


def _stripe(description: list[Any]) -> Any:
    number, *parts = description
    return _KINDS[number](*[_stripe(part) if isinstance(part, list) else part for part in parts])


# Their numbers and fields are part of the format on disk.
_KINDS: Final[tuple[Any, ...]] = (Constant, Runs, Offsets, Deltas, Decimals, Plain)
