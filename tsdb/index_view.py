"""The index as a reader sees it: matchers as boolean masks, label names and values of series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tsdb.arrays import grown
from tsdb.labelframe import LabelDictionary, LabelFrame, LabelScope
from tsdb.matcher import Matcher, MatchOp
from tsdb.recent import Recent
from tsdb.sample import BoolArray, CodeArray, IntArray

NarrowArray: TypeAlias = NDArray[Any]
"""uint8, uint16 or int32: the narrowest that holds the codes seen so far."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Series that satisfy matchers: their ids, ascending, and the codes of their labels."""

    ids: IntArray
    columns: Mapping[str, CodeArray]


class IndexView:
    """The first `size` series of an index, and what matchers say about them; it remembers recent answers."""

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
        self._recent: Recent[tuple[Matcher, ...], Matched] = Recent(_REMEMBERED_SERIES)

    def matched(self, matchers: tuple[Matcher, ...]) -> Matched:
        """The series that satisfy all matchers."""
        found = self._recent.get(matchers)
        if found is None:
            ids = self.match(matchers)
            found = Matched(ids, self.columns(ids))
            self._recent.put(matchers, found, len(ids) + _MATCHED_SERIES)
        return found

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

    def columns(self, ids: IntArray) -> dict[str, CodeArray]:
        """The codes of all labels that the given series carry."""
        return {name: self.codes(name, ids).astype(np.int32) for name in self.names(ids)}

    def frame(self, scope: LabelScope, ids: IntArray) -> LabelFrame:
        """The labels of the given series."""
        return LabelFrame(scope, self.columns(ids), len(ids))

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


def _cost(matcher: Matcher) -> int:
    return 0 if matcher.op is MatchOp.EQUAL else 1


def _table(hits: list[int], size: int) -> BoolArray:
    table = np.zeros(size, dtype=np.bool_)
    table[hits] = True
    return table


_NO_CODES = np.zeros(0, dtype=np.uint8)
_NO_VALUES = LabelDictionary()
_REMEMBERED_SERIES: Final = 1 << 16
_MATCHED_SERIES: Final = 32  # that take as much as the objects around them
