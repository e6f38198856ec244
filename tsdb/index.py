"""Which series exist: dense ids, one code column per label name over them, and matchers as boolean masks.

A series is found again by the codes of its values, packed into bytes, in the dictionary of
its shape (the set of its label names). Label strings are held once per name and value.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsdb.labelframe import LabelDictionary, LabelFrame, LabelScope
from tsdb.labels import Labels
from tsdb.matcher import Matcher, MatchOp
from tsdb.sample import BoolArray, IntArray

NarrowArray: TypeAlias = NDArray[Any]
"""uint8, uint16 or int32: the narrowest that holds the codes seen so far."""


class CodeColumn:
    """The codes of one label name: `codes[series_id]`, 0 where the series lacks the label and behind the end.

    The writer changes cells of series that no reader knows yet, and otherwise replaces the array.
    """

    __slots__ = ("codes",)

    def __init__(self) -> None:
        self.codes: NarrowArray = np.zeros(0, dtype=np.uint8)

    def put(self, series_id: int, code: int) -> None:
        """Set the code of a new series. Requires: series_id larger than any before."""
        if series_id >= len(self.codes):
            self.codes = grown(self.codes, series_id + 1)
        if code > np.iinfo(self.codes.dtype).max:
            self.codes = self.codes.astype(np.uint16 if code <= np.iinfo(np.uint16).max else np.int32)
        self.codes[series_id] = code


class Shape:
    """The series that carry the same label names: their ids by the packed codes of their values."""

    __slots__ = ("columns", "dictionaries", "ids", "names", "number", "pack")

    def __init__(
        self,
        number: int,
        names: tuple[str, ...],
        dictionaries: tuple[LabelDictionary, ...],
        columns: tuple[CodeColumn, ...],
    ) -> None:
        self.number = number
        self.names = names
        self.dictionaries = dictionaries
        self.columns = columns
        self.ids: dict[bytes, int] = {}
        self.pack = struct.Struct(f"{len(names)}i").pack


class Index:
    """All series the store ever met. One writer; readers go through `view`."""

    def __init__(self) -> None:
        self.dictionaries: dict[str, LabelDictionary] = {}
        self.size = 0
        self._columns: dict[str, CodeColumn] = {}
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._shape_names: list[tuple[str, ...]] = []
        self._shape_of = CodeColumn()

    def series_ids(self, series: Iterable[Labels]) -> IntArray:
        """The ids of label sets, new ones for those never met: int64[n]."""
        return np.fromiter((self._series_id(labels) for labels in series), dtype=np.int64)

    def view(self, limit: int) -> "IndexView":
        """The index as it is now, but for ids from `limit` on; for readers in any thread."""
        size = min(self.size, limit)
        codes = {name: column.codes for name, column in tuple(self._columns.items())}
        return IndexView(size, codes, self._shape_of.codes, self._shape_names, self.dictionaries)

    def memory_bytes(self) -> int:
        """About what the columns and the look-up hold, without the label strings."""
        columns = sum(column.codes.nbytes for column in self._columns.values())
        keys = sum(len(shape.ids) * (_ENTRY_BYTES + 4 * len(shape.names)) for shape in self._shapes.values())
        return columns + self._shape_of.codes.nbytes + keys

    def _series_id(self, labels: Labels) -> int:
        names = tuple([name for name, _ in labels])
        shape = self._shapes.get(names) or self._add_shape(names)
        codes = [d.encode(value) for d, (_, value) in zip(shape.dictionaries, labels, strict=True)]
        key = shape.pack(*codes)
        series_id = shape.ids.get(key)
        return self._add_series(shape, key, codes) if series_id is None else series_id

    def _add_series(self, shape: Shape, key: bytes, codes: list[int]) -> int:
        series_id = self.size
        self._shape_of.put(series_id, shape.number)
        for column, code in zip(shape.columns, codes, strict=True):
            column.put(series_id, code)
        shape.ids[key] = series_id
        self.size = series_id + 1
        return series_id

    def _add_shape(self, names: tuple[str, ...]) -> Shape:
        shape = Shape(
            len(self._shapes),
            names,
            tuple([self.dictionaries.setdefault(name, LabelDictionary()) for name in names]),
            tuple([self._columns.setdefault(name, CodeColumn()) for name in names]),
        )
        self._shape_names.append(names)
        self._shapes[names] = shape
        return shape


class IndexView:
    """The first `size` series of an index, and what matchers say about them."""

    def __init__(
        self,
        size: int,
        codes: Mapping[str, NarrowArray],
        shape_of: NarrowArray,
        shape_names: Sequence[tuple[str, ...]],
        dictionaries: Mapping[str, LabelDictionary],
    ) -> None:
        self.size = size
        self._codes = codes
        self._shape_of = shape_of
        self._shape_names = shape_names
        self._dictionaries = dictionaries

    def match(self, matchers: Sequence[Matcher]) -> IntArray:
        """Ids of the series that satisfy all matchers, ascending: int64[n]."""
        mask = np.ones(self.size, dtype=np.bool_)
        ids: IntArray | None = None
        for matcher in sorted(matchers, key=_cost):
            if _cost(matcher) == 0:
                mask &= self._accepts(matcher, self._column(matcher.name))
                continue
            ids = np.flatnonzero(mask) if ids is None else ids
            ids = ids[self._accepts(matcher, self.codes(matcher.name, ids))]
        return np.flatnonzero(mask) if ids is None else ids

    def codes(self, name: str, ids: IntArray) -> NarrowArray:
        """The codes of label `name` of the given series."""
        return self._column(name)[ids]

    def names(self, ids: IntArray) -> list[str]:
        """Label names that the given series carry, ascending."""
        shapes = np.flatnonzero(np.bincount(self._shape_of[ids]))
        return sorted({name for shape in shapes.tolist() for name in self._shape_names[shape]})

    def values(self, name: str, ids: IntArray) -> list[str]:
        """Values of label `name` that the given series carry, ascending."""
        if name not in self._codes:
            return []
        values = self._dictionaries[name].values
        codes = np.flatnonzero(np.bincount(self.codes(name, ids)))
        return sorted(values[code] for code in codes.tolist() if code)

    def counts(self, ids: IntArray) -> dict[str, list[tuple[str, int]]]:
        """By label name, the values that the given series carry, and how many of the series carry each."""
        found = {}
        for name in self.names(ids):
            values = self._dictionaries[name].values
            counts = np.bincount(self.codes(name, ids)).tolist()
            found[name] = [(values[code], count) for code, count in enumerate(counts) if code and count]
        return found

    def frame(self, scope: LabelScope, ids: IntArray) -> LabelFrame:
        """The labels of the given series."""
        columns = {name: self.codes(name, ids).astype(np.int32) for name in self.names(ids)}
        return LabelFrame(scope, columns, len(ids))

    def _column(self, name: str) -> NarrowArray:
        codes = self._codes.get(name, _NO_CODES)
        return (codes if len(codes) >= self.size else grown(codes, self.size))[: self.size]

    def _accepts(self, matcher: Matcher, codes: NarrowArray) -> BoolArray:
        dictionary = self._dictionaries.get(matcher.name, _NO_VALUES)
        literals = matcher.literals
        if literals is not None:
            hits = [code for value in literals if (code := dictionary.codes.get(value)) is not None]
            found = codes == hits[0] if len(hits) == 1 else _table(hits, len(dictionary.values))[codes]
            return ~found if matcher.is_negative else found
        present = np.flatnonzero(np.bincount(codes))
        hits = [code for code in present.tolist() if matcher.matches(dictionary.values[code])]
        return _table(hits, len(dictionary.values))[codes]


def grown(array: NDArray[Any], size: int, fill: int = 0) -> NDArray[Any]:
    """A copy of a one-dimensional array with room for `size` cells and half as many more."""
    larger = np.full(size + size // 2, fill, dtype=array.dtype)
    larger[: len(array)] = array
    return larger


def runs(keys: NDArray[Any]) -> list[IntArray]:
    """The positions of each distinct key, the keys ascending, positions in order."""
    if not len(keys):
        return []
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def _cost(matcher: Matcher) -> int:
    return 0 if matcher.op is MatchOp.EQUAL else 1


def _table(hits: list[int], size: int) -> BoolArray:
    table = np.zeros(size, dtype=np.bool_)
    table[hits] = True
    return table


_NO_CODES = np.zeros(0, dtype=np.uint8)
_NO_VALUES = LabelDictionary()
_ENTRY_BYTES = 33 + 32 + 55  # a bytes object, an int object, and the entry's share of a dict
