from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tsdb import LabelDictionary, LabelFrame, Labels, LabelScope, join_groups, labels_from

label_sets = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.sampled_from(["", "x", "y", "z", "local"])
).map(labels_from)
frames = st.lists(label_sets, max_size=12)


def scope() -> LabelScope:
    """A scope whose store knows some of the values, so that both kinds of codes occur."""
    stored = {name: LabelDictionary() for name in "ab"}
    for dictionary in stored.values():
        for value in "xyz":
            dictionary.encode(value)
    return LabelScope(stored)


def numbered(keys: list[Labels]) -> list[int]:
    """Group numbers by first appearance."""
    seen: dict[Labels, int] = {}
    return [seen.setdefault(key, len(seen)) for key in keys]


@given(frames)
def test_a_frame_gives_back_its_label_sets(series: list[Labels]) -> None:
    assert LabelFrame.of(scope(), series).series() == series


@given(frames)
def test_rows_group_as_equal_label_sets_do(series: list[Labels]) -> None:
    groups = LabelFrame.of(scope(), series).group()
    expected = numbered(series)
    assert groups.ids.tolist() == expected
    assert groups.first.tolist() == [expected.index(number) for number in range(groups.count)]


@given(frames, st.sets(st.sampled_from("abc")))
def test_grouping_by_some_labels_ignores_the_others(series: list[Labels], names: set[str]) -> None:
    ids = LabelFrame.of(scope(), series).keep(names).group().ids
    assert ids.tolist() == numbered([tuple(p for p in labels if p[0] in names) for labels in series])


@given(frames, frames)
def test_two_frames_join_in_one_numbering(left: list[Labels], right: list[Labels]) -> None:
    shared = scope()
    left_ids, right_ids, count = join_groups(LabelFrame.of(shared, left), LabelFrame.of(shared, right))
    expected = numbered(left + right)
    assert left_ids.tolist() + right_ids.tolist() == expected
    assert count == len(set(expected))


@given(frames, frames)
def test_concat_appends_rows(left: list[Labels], right: list[Labels]) -> None:
    shared = scope()
    both = LabelFrame.of(shared, left).concat(LabelFrame.of(shared, right))
    assert both.series() == left + right


@given(frames, st.sampled_from("abcd"), st.sampled_from(["", "x", "new"]))
def test_setting_a_label_replaces_or_removes_it(series: list[Labels], name: str, value: str) -> None:
    frame = LabelFrame.of(scope(), series).with_values(name, [value] * len(series))
    assert frame.series() == [labels_from({**dict(labels), name: value}) for labels in series]


@given(frames, st.data())
def test_take_picks_rows_by_position_and_by_mask(series: list[Labels], data: st.DataObject) -> None:
    mask = np.array([data.draw(st.booleans()) for _ in series], dtype=np.bool_)
    frame = LabelFrame.of(scope(), series)
    expected = [labels for labels, wanted in zip(series, mask, strict=True) if wanted]
    assert frame.take(mask).series() == expected
    assert frame.take(np.flatnonzero(mask)).series() == expected


def test_many_wide_columns_group_without_overflow() -> None:
    rows = 2000
    shared = LabelScope({})
    columns = {f"l{i}": np.arange(rows, dtype=np.int32) % 1009 * (i + 1) % 100_003 for i in range(12)}
    groups = LabelFrame(shared, columns, rows).group()
    assert groups.ids.tolist() == [row % 1009 for row in range(rows)]


def test_names_leave_out_columns_that_are_empty() -> None:
    frame = LabelFrame.of(scope(), [(("a", "x"), ("b", "y"))]).with_values("b", [""])
    assert frame.names == ("a",)


def test_values_that_the_store_learns_later_keep_the_code_of_the_query() -> None:
    stored = {"a": LabelDictionary()}
    shared = LabelScope(stored)
    before = shared.encode("a", "new")
    stored["a"].encode("new")
    assert shared.encode("a", "new") == before
    assert shared.decode("a", np.array([before], dtype=np.int32)) == ["new"]


def test_a_query_does_not_grow_the_dictionaries_of_the_store() -> None:
    stored = {"a": LabelDictionary()}
    LabelScope(stored).encode_all("a", ["p", "q"])
    assert stored["a"].values == [""]


@given(st.lists(label_sets, max_size=40), st.sampled_from([0, 100]))
def test_order_is_that_of_the_label_sets(series: list[Labels], few: int) -> None:
    frame = LabelFrame.of(scope(), series)
    with patch("tsdb.labelframe._FEW_TO_SORT", few):
        assert frame.order().tolist() == sorted(range(len(series)), key=frame.series().__getitem__)
