"""Labels of many series at once, dictionary-encoded by label name.

A frame is what the engine computes with: one int32 code column per label name, one row a
series. Codes of one name are comparable across all frames of one `LabelScope`, which is
what makes grouping and joining integer work. Strings appear at the edges only.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tsdb.labels import Labels
from tsdb.sample import BoolArray, CodeArray, IntArray


class LabelDictionary:
    """The values of one label name: code <-> value; code 0 is "", the absent label.

    Values are only added, in place; a dictionary without some of them is another one. Written by the
    store's one writer, read by any thread.
    """

    __slots__ = ("_free", "_text_bytes", "codes", "values")

    def __init__(self) -> None:
        self.values: list[str] = [""]
        self.codes: dict[str, int] = {"": 0}
        self._free: list[int] = []
        self._text_bytes = 0

    def encode(self, value: str) -> int:
        """The code of `value`, a new one if it was never seen."""
        code = self.codes.get(value)
        if code is None:
            if self._free:
                code = self._free.pop()
                self.values[code] = value
            else:
                code = len(self.values)
                self.values.append(value)
            self.codes[value] = code
            self._text_bytes += len(value)
        return code

    def keeping(self, kept: BoolArray) -> "LabelDictionary":
        """A copy with the values at the codes where `kept[code]` alone; the other codes are free."""
        copy = LabelDictionary()
        copy.values = [value if keep else "" for value, keep in zip(self.values, kept.tolist(), strict=True)]
        copy.codes = {value: code for value, code in self.codes.items() if kept[code]}
        copy._free = np.flatnonzero(~kept).tolist()
        copy._text_bytes = sum(map(len, copy.values))
        return copy

    @property
    def memory_bytes(self) -> int:
        """About what the values and the look-up hold."""
        return self._text_bytes + _VALUE_BYTES * len(self.values)


class LabelScope:
    """The dictionaries that one query sees: the store's, and values of its own under negative codes.

    A query that invents label values (`label_replace`, `count_values`) thus never grows the store.
    """

    def __init__(self, stored: Mapping[str, LabelDictionary]) -> None:
        self._stored = stored
        self._local_codes: dict[str, dict[str, int]] = {}
        self._local_values: dict[str, list[str]] = {}

    def encode(self, name: str, value: str) -> int:
        """The code of a value of label `name`; negative if the store does not know it."""
        local = self._local_codes.get(name)
        code = local.get(value) if local else None
        if code is None:
            stored = self._stored.get(name)
            code = stored.codes.get(value) if stored else (0 if value == "" else None)
        if code is None:
            values = self._local_values.setdefault(name, [])
            values.append(value)
            code = -len(values)
            self._local_codes.setdefault(name, {})[value] = code
        return code

    def encode_all(self, name: str, values: Iterable[str]) -> CodeArray:
        """`encode` for many values: int32[n]."""
        return np.array([self.encode(name, value) for value in values], dtype=np.int32)

    def shares_codes(self, other: "LabelScope") -> bool:
        """Whether codes that the store knows mean the same in both: it gives some away again now and then."""
        return self._stored is other._stored

    def decode(self, name: str, codes: CodeArray) -> list[str]:
        """The values behind codes of label `name`."""
        stored = self._stored.get(name)
        values = stored.values if stored else [""]
        local = self._local_values.get(name, [])
        return [values[code] if code >= 0 else local[-code - 1] for code in codes.tolist()]


@dataclass(frozen=True)
class Groups:
    """A partition of rows: `ids[row]` in 0..count-1, and the first row of each group."""

    ids: IntArray
    first: IntArray

    @property
    def count(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class LabelFrame:
    """The labels of `size` series: `columns[name]` is int32[size]; without a column a name is absent.

    Immutable: every method answers with a new frame that shares the columns it did not change.
    """

    scope: LabelScope
    columns: Mapping[str, CodeArray]
    size: int

    @staticmethod
    def empty(scope: LabelScope, size: int = 0) -> "LabelFrame":
        """`size` series without labels."""
        return LabelFrame(scope, {}, size)

    @staticmethod
    def of(scope: LabelScope, series: Sequence[Labels]) -> "LabelFrame":
        """The frame of label sets, one row each."""
        rows = [dict(labels) for labels in series]
        names = sorted({name for row in rows for name in row})
        columns = {name: scope.encode_all(name, (row.get(name, "") for row in rows)) for name in names}
        return LabelFrame(scope, columns, len(rows))

    @property
    def names(self) -> tuple[str, ...]:
        """Names that at least one series carries, ascending."""
        return tuple(sorted(name for name, codes in self.columns.items() if codes.any()))

    def codes(self, name: str) -> CodeArray:
        """int32[size]; 0 where the label is absent."""
        column = self.columns.get(name)
        return np.zeros(self.size, dtype=np.int32) if column is None else column

    def values(self, name: str) -> list[str]:
        """The value of label `name` of each series, "" where absent."""
        column = self.columns.get(name)
        return [""] * self.size if column is None else self.scope.decode(name, column)

    def take(self, rows: IntArray | BoolArray) -> "LabelFrame":
        """The frame of the given rows (positions, or a boolean mask)."""
        columns = {name: codes[rows] for name, codes in self.columns.items()}
        size = int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows)
        return LabelFrame(self.scope, columns, size)

    def keep(self, names: Collection[str]) -> "LabelFrame":
        """Without all labels but the given ones."""
        return LabelFrame(self.scope, {n: c for n, c in self.columns.items() if n in names}, self.size)

    def drop(self, names: Collection[str]) -> "LabelFrame":
        """Without the given labels."""
        return LabelFrame(self.scope, {n: c for n, c in self.columns.items() if n not in names}, self.size)

    def with_codes(self, name: str, codes: CodeArray) -> "LabelFrame":
        """With label `name` set from codes of the same scope; 0 removes it."""
        return LabelFrame(self.scope, {**self.columns, name: codes}, self.size)

    def with_values(self, name: str, values: Iterable[str]) -> "LabelFrame":
        """With label `name` set from strings; "" removes it."""
        return self.with_codes(name, self.scope.encode_all(name, values))

    def concat(self, other: "LabelFrame") -> "LabelFrame":
        """The rows of this frame, then those of `other`. Requires: one scope."""
        names = {**self.columns, **other.columns}
        columns = {name: np.concatenate((self.codes(name), other.codes(name))) for name in names}
        return LabelFrame(self.scope, columns, self.size + other.size)

    def group(self) -> Groups:
        """Rows with equal labels, over all columns; groups are numbered by first appearance."""
        if self.size <= 1:
            return Groups(np.zeros(self.size, dtype=np.int64), np.arange(self.size))
        if self.size <= _FEW_ROWS and self.columns:
            return _groups_of_few(
                list(zip(*(codes.tolist() for codes in self.columns.values()), strict=True))
            )
        keys = np.zeros(self.size, dtype=np.int64)
        span = 1
        for codes in self.columns.values():
            low, high = int(codes.min()), int(codes.max())
            width = high - low + 1
            if width == 1:
                continue
            if span > (1 << 62) // width:
                keys, span = _renumbered(keys)
            keys = keys * width + (codes - np.int64(low))
            span *= width
        if span == 1:
            return Groups(keys, np.arange(1))
        return _first_appearance(keys)

    def order(self) -> IntArray:
        """The rows sorted by their label sets, as Prometheus sorts them: int64[size]."""
        if self.size <= _FEW_TO_SORT:
            return np.array(_ascending(self.series()), dtype=np.int64)
        keys = []
        goes_on: BoolArray = np.zeros(self.size, dtype=np.bool_)  # with labels of greater names
        for name in sorted(self.columns, reverse=True):
            codes = self.columns[name]
            if (codes != codes[0]).any():
                distinct_codes, place = np.unique(codes, return_inverse=True)
                values = self.scope.decode(name, distinct_codes)
                ranks = np.argsort(_ascending(values)) + 1
                # Without this label, the next greater name decides; without any more, the set is a prefix.
                keys.append(np.where(codes == 0, np.where(goes_on, len(values) + 1, 0), ranks[place]))
            goes_on |= codes != 0
        return np.lexsort(keys) if keys else np.arange(self.size)

    def series(self) -> list[Labels]:
        """Each row's label set."""
        names = sorted(self.columns)
        decoded = [self.values(name) for name in names]
        return (
            [
                tuple((name, value) for name, value in zip(names, row, strict=True) if value)
                for row in zip(*decoded, strict=True)
            ]
            if names
            else [()] * self.size
        )


def join_groups(left: LabelFrame, right: LabelFrame) -> tuple[IntArray, IntArray, int]:
    """Group ids of two frames of one scope in one numbering: (left[n], right[m], count)."""
    groups = left.concat(right).group()
    return groups.ids[: left.size], groups.ids[left.size :], groups.count


def _ascending(values: Sequence[str] | Sequence[Labels]) -> list[int]:
    return sorted(range(len(values)), key=values.__getitem__)


def _renumbered(keys: IntArray) -> tuple[IntArray, int]:
    unique, inverse = np.unique(keys, return_inverse=True)
    return inverse.astype(np.int64), len(unique)


def _first_appearance(keys: IntArray) -> Groups:
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return Groups(rank[inverse], first[order].astype(np.int64))


def _groups_of_few(keys: Sequence[Hashable]) -> Groups:
    """Rows with equal keys, without numpy, whose calls take longer than this does for so few."""
    numbers: dict[Hashable, int] = {}
    ids: list[int] = []
    first: list[int] = []
    for row, key in enumerate(keys):
        number = numbers.setdefault(key, len(first))
        if number == len(first):
            first.append(row)
        ids.append(number)
    return Groups(np.array(ids), np.array(first))


_FEW_ROWS = 64
_FEW_TO_SORT = 24
_VALUE_BYTES = 49 + 8 + 28 + 75  # a str, its place in a list, an int, and the entry's share of a dict
