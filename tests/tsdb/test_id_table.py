"""The table of series ids, against a dictionary."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tsdb.id_table import IdTable

keys = st.integers(0, 60).map(lambda number: number.to_bytes(4, "little"))


class Clash(bytes):
    """A key whose hash names one of the last slots, as that of many others does."""

    def __hash__(self) -> int:
        return -2 - 1024 * self[0]


@given(st.lists(st.tuples(st.booleans(), keys | keys.map(Clash))))
def test_table_holds_what_a_dictionary_would(changes: list[tuple[bool, bytes]]) -> None:
    table, model = IdTable(), dict[tuple[int, bytes], int]()
    for number, (is_added, key) in enumerate(changes):
        known = (hash(key), key)
        if is_added:
            assert table.get_or_put(key, number) == model.setdefault(known, number)
        elif known in model:
            del model[known]
            table.remove(key)
        assert len(table) == len(model)
        assert table.get(key) == model.get(known)
    assert [table.get(key) for _, key in model] == list(model.values())


@given(st.lists(keys | keys.map(Clash), unique_by=hash))
def test_table_that_was_filled_at_once_holds_the_same(members: list[bytes]) -> None:
    table = IdTable()
    table.fill(members, np.arange(len(members)))
    assert [table.get(key) for key in members] == list(range(len(members)))
    assert table.get(b"unknown") is None


def test_ten_thousand_ids_take_less_than_forty_bytes_each() -> None:
    table = IdTable()
    for number in range(10_000):
        table.get_or_put(number.to_bytes(4, "little"), number)
    assert table.memory_bytes < 40 * 10_000


def test_room_of_what_was_removed_is_used_again() -> None:
    table = IdTable()
    for number in range(10_000):
        table.get_or_put(number.to_bytes(4, "little"), number)
        table.remove(number.to_bytes(4, "little"))
    assert table.memory_bytes < 1000
