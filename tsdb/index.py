"""Which series exist: dense ids, one code column per label name over them.

A series is found again by the codes of its values, packed into bytes, in the table of
its shape (the set of its label names). Label strings are held once per name and value.

`reclaim` gives up series; their ids, the codes of values that no other series carries, and shapes are
given away again. What a reader may hold (columns, dictionaries, lists of names) is never changed for
that but replaced, so that views taken before stay as they were.
"""

import struct
import sys
from collections.abc import Iterable

import numpy as np

from tsdb.appended import NO_ROOM
from tsdb.arrays import equal_columns, grown
from tsdb.held import LabelTable
from tsdb.id_table import IdTable
from tsdb.index_view import IndexView, NarrowArray
from tsdb.labelframe import LabelDictionary
from tsdb.labels import Labels
from tsdb.sample import CodeArray, IntArray


class CodeColumn:
    """The codes of one label name: `codes[series_id]`, 0 where the series lacks the label and behind the end.

    The writer changes cells of series that no reader knows yet, and otherwise replaces the array.
    """

    __slots__ = ("_largest", "codes")

    def __init__(self) -> None:
        self.codes: NarrowArray = np.zeros(0, dtype=np.uint8)
        self._largest = np.iinfo(np.uint8).max

    def put(self, series_id: int, code: int) -> None:
        """Set the code of a new series."""
        if series_id >= len(self.codes):
            self.codes = grown(self.codes, series_id + 1)
        if code > self._largest:
            self._widen(code)
        self.codes[series_id] = code

    def put_all(self, first_id: int, codes: CodeArray) -> None:
        """Set the codes of new series, whose ids follow one another."""
        end = first_id + len(codes)
        if end > len(self.codes):
            self.codes = grown(self.codes, end)
        top = int(codes.max())
        if top > self._largest:
            self._widen(top)
        self.codes[first_id:end] = codes

    def clear(self, ids: IntArray) -> bool:
        """Take the codes of series away; False if they have none. The others' cells are copied."""
        ids = ids[ids < len(self.codes)]
        if not self.codes[ids].any():
            return False
        codes = self.codes.copy()
        codes[ids] = 0
        self.codes = codes
        return True

    def _widen(self, code: int) -> None:
        wider = np.uint16 if code <= np.iinfo(np.uint16).max else np.int32
        self.codes = self.codes.astype(wider)
        self._largest = np.iinfo(wider).max


class Shape:
    """The series that carry the same label names: their ids by the packed codes of their values."""

    __slots__ = ("ids", "names", "number", "pack")

    def __init__(self, number: int, names: tuple[str, ...]) -> None:
        self.number = number
        self.names = names
        self.ids = IdTable()
        self.pack = struct.Struct(f"{len(names)}i").pack


class Index:
    """All series that the store knows. One writer; readers go through `view`."""

    def __init__(self) -> None:
        self.dictionaries: dict[str, LabelDictionary] = {}
        self.size = 0
        """One more than the largest id."""
        self._free: list[int] = []
        self._columns: dict[str, CodeColumn] = {}
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._shape_names: list[tuple[str, ...]] = [()]
        self._free_shapes: list[int] = []
        self._shape_of = CodeColumn()  # 0: the id is free
        self._changes = 0
        self._newest_view: tuple[int, IndexView] | None = None  # and the number of changes it was made after

    def __len__(self) -> int:
        return self.size - len(self._free)

    def series_ids(self, series: Iterable[Labels], room: int = sys.maxsize) -> IntArray:
        """The ids of label sets, new ones for those that are not known: int64[n].

        NO_ROOM for each new one beyond `room`.
        """
        if room == sys.maxsize:
            return np.fromiter(map(self._series_id, series), dtype=np.int64)
        limit = len(self) + room
        ids = (self._series_id(labels) if len(self) < limit else self._find(labels) for labels in series)
        return np.fromiter(ids, dtype=np.int64)

    def restore(self, table: LabelTable) -> IntArray:
        """`series_ids` of a table; those of a shape at once if none of them is known."""
        matrix = np.zeros((len(table.names), table.size), dtype=np.int32)
        for row, name, values, codes in zip(matrix, table.names, table.values, table.codes, strict=True):
            dictionary = self.dictionaries.setdefault(name, LabelDictionary())
            row[:] = np.array([dictionary.encode(value) for value in values], dtype=np.int32)[codes]
        ids = np.empty(table.size, dtype=np.int64)
        for at in equal_columns(matrix > 0):
            carried = np.flatnonzero(matrix[:, at[0]])
            names = tuple([table.names[row] for row in carried.tolist()])
            shape = self._shapes.get(names) or self._add_shape(names)
            ids[at] = self._restore_shape(shape, np.ascontiguousarray(matrix[carried][:, at].T))
        return ids

    def view(self, limit: int) -> IndexView:
        """The index as it is now, but for ids from `limit` on; for readers in any thread.

        While nothing changes it is the same view. One that is made during a change passes for older than it.
        """
        changes, newest = self._changes, self._newest_view
        if newest is not None and newest[0] == changes and newest[1].size <= limit:
            return newest[1]
        whole = self.size
        size = min(whole, limit)
        codes = {name: column.codes for name, column in tuple(self._columns.items())}
        view = IndexView(size, codes, self._shape_of.codes, self._shape_names, self.dictionaries)
        if size == whole:
            self._newest_view = changes, view
        return view

    def known(self) -> IntArray:
        """The ids that stand for a series, ascending."""
        return np.flatnonzero(self._shape_of.codes[: self.size])

    def reclaim(self, ids: IntArray) -> None:
        """Give up series. Requires: they are known; readers can't tell their samples from none."""
        shape_of = self._shape_of.codes[ids]
        shapes = {shape.number: shape for shape in self._shapes.values()}
        for number in np.unique(shape_of).tolist():
            self._forget_keys(shapes[number], ids[shape_of == number])
        changed = [name for name, column in self._columns.items() if column.clear(ids)]
        self._shape_of.clear(ids)
        self._free += ids[::-1].tolist()
        self._drop_empty_shapes()
        self.dictionaries = {
            name: self._cleaned(name) if name in changed else dictionary
            for name, dictionary in self.dictionaries.items()
            if name in self._columns
        }
        self._changes += 1

    def retire(self, ids: IntArray) -> None:
        """Never give ids that were reclaimed to other series: rings still hold samples under them."""
        gone = set(ids.tolist())
        self._free = [series_id for series_id in self._free if series_id not in gone]

    def memory_bytes(self) -> int:
        """About what columns, look-up and label strings hold."""
        columns = sum(column.codes.nbytes for column in self._columns.values())
        keys = sum(shape.ids.memory_bytes for shape in self._shapes.values())
        values = sum(dictionary.memory_bytes for dictionary in self.dictionaries.values())
        return columns + self._shape_of.codes.nbytes + keys + values

    def _series_id(self, labels: Labels) -> int:
        names = tuple([name for name, _ in labels])
        shape = self._shapes.get(names) or self._add_shape(names)
        codes = [self.dictionaries[name].encode(value) for name, value in labels]
        return self._id_of(shape, shape.pack(*codes), codes)

    def _find(self, labels: Labels) -> int:
        """The id of a series that is known, else NO_ROOM; leaves no trace of one that is not."""
        shape = self._shapes.get(tuple([name for name, _ in labels]))
        if shape is None:
            return NO_ROOM
        codes = [self.dictionaries[name].codes.get(value, -1) for name, value in labels]
        series_id = shape.ids.get(shape.pack(*codes))
        return NO_ROOM if series_id is None else series_id

    def _id_of(self, shape: Shape, key: bytes, codes: list[int]) -> int:
        """The id of a series, a new one if it is not known."""
        new_id = self._free[-1] if self._free else self.size
        series_id = shape.ids.get_or_put(key, new_id)
        if series_id == new_id:
            self._add_series(new_id, shape, codes)
        return series_id

    def _add_series(self, series_id: int, shape: Shape, codes: list[int]) -> None:
        if self._free:
            self._free.pop()
        for name, code in zip(shape.names, codes, strict=True):
            self._columns[name].put(series_id, code)
        self._shape_of.put(series_id, shape.number)
        self.size = max(self.size, series_id + 1)
        self._changes += 1

    def _restore_shape(self, shape: Shape, codes: CodeArray) -> IntArray:
        """The ids of series of one shape, `codes[series, name]`."""
        width = codes.itemsize * len(shape.names)
        packed = codes.tobytes()
        keys = [packed[row * width : (row + 1) * width] for row in range(len(codes))]
        if len(shape.ids):
            series = zip(keys, codes.tolist(), strict=True)
            return np.array([self._id_of(shape, key, row) for key, row in series], dtype=np.int64)
        ids = np.arange(self.size, self.size + len(keys))
        self.size += len(keys)
        for name, column in zip(shape.names, codes.T, strict=True):
            self._columns[name].put_all(int(ids[0]), column)
        self._shape_of.put_all(int(ids[0]), np.full(len(ids), shape.number, dtype=np.int32))
        shape.ids.fill(keys, ids)
        self._changes += 1
        return ids

    def _add_shape(self, names: tuple[str, ...]) -> Shape:
        if self._free_shapes:
            shape = Shape(self._free_shapes.pop(), names)
            self._shape_names[shape.number] = names
        else:
            shape = Shape(len(self._shape_names), names)
            self._shape_names.append(names)
        for name in names:
            self.dictionaries.setdefault(name, LabelDictionary())
            self._columns.setdefault(name, CodeColumn())
        self._shapes[names] = shape
        return shape

    def _forget_keys(self, shape: Shape, ids: IntArray) -> None:
        codes = [self._columns[name].codes[ids].tolist() for name in shape.names]
        for key in zip(*codes, strict=True) if codes else [()]:
            shape.ids.remove(shape.pack(*key))

    def _drop_empty_shapes(self) -> None:
        empty = [shape for shape in self._shapes.values() if not len(shape.ids)]
        if not empty:
            return
        self._shape_names = self._shape_names.copy()
        for shape in empty:
            self._shape_names[shape.number] = ()
            self._free_shapes.append(shape.number)
            del self._shapes[shape.names]
        carried = {name for shape in self._shapes.values() for name in shape.names}
        self._columns = {name: column for name, column in self._columns.items() if name in carried}

    def _cleaned(self, name: str) -> LabelDictionary:
        """The dictionary of a label name without the values that no series carries, once they are many."""
        dictionary = self.dictionaries[name]
        carried = np.bincount(self._columns[name].codes, minlength=len(dictionary.values)) > 0
        carried[0] = True
        if len(dictionary.codes) < _MAX_USELESS_SHARE * np.count_nonzero(carried) + _FEW:
            return dictionary
        return dictionary.keeping(carried)


_MAX_USELESS_SHARE = 1.25
_FEW = 64  # values, which are not worth the copy of a dictionary
