import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsdb import Labels, LabelScope, Matcher, MatchOp, labels_from
from tsdb.index import Index

label_sets = st.dictionaries(
    st.sampled_from(["__name__", "job", "pod"]), st.sampled_from(["", "a", "b", "ab", "c"])
).map(labels_from)
matchers = st.builds(
    Matcher,
    st.sampled_from(["__name__", "job", "pod", "unknown"]),
    st.sampled_from(MatchOp),
    st.sampled_from(["", "a", "b", "a|b", "a.*", ".*", ".+", "nothing", "nothing|c"]),
)


def indexed(series: list[Labels]) -> Index:
    index = Index()
    index.series_ids(series)
    return index


@given(st.lists(label_sets, unique=True, max_size=20), st.lists(matchers, max_size=4))
def test_matchers_select_what_they_say_label_by_label(series: list[Labels], chosen: list[Matcher]) -> None:
    found = indexed(series).view(len(series)).match(chosen).tolist()
    assert found == [
        series_id
        for series_id, labels in enumerate(series)
        if all(matcher.matches(dict(labels).get(matcher.name, "")) for matcher in chosen)
    ]


@given(st.lists(label_sets, max_size=20))
def test_a_frame_has_the_labels_that_were_indexed(series: list[Labels]) -> None:
    index = Index()
    ids = index.series_ids(series)
    assert index.view(index.size).frame(LabelScope(index.dictionaries), ids).series() == series


@pytest.mark.parametrize("count", [256, 257, 65_536, 65_537])
def test_codes_stay_right_when_a_column_grows_wider(count: int) -> None:
    index = indexed([(("i", str(i)),) for i in range(count)])
    view = index.view(index.size)
    for i in (0, 254, 255, count - 1):
        assert view.match([Matcher("i", MatchOp.EQUAL, str(i))]).tolist() == [i]


def test_a_view_does_not_see_series_that_came_later() -> None:
    index = indexed([(("i", "0"),)])
    view = index.view(index.size)
    index.series_ids([(("i", str(i)),) for i in range(300)] + [(("j", "0"),)])
    assert view.match([]).tolist() == [0]
    assert view.names(view.match([])) == ["i"]
    assert view.match([Matcher("j", MatchOp.NOT_EQUAL, "")]).tolist() == []


def test_a_negative_matcher_on_an_unknown_label_selects_all() -> None:
    view = indexed([(("i", "0"),), (("i", "1"),)]).view(2)
    assert view.match([Matcher("unknown", MatchOp.NOT_EQUAL, "x")]).tolist() == [0, 1]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=50))
def test_values_are_sorted_and_distinct(pairs: list[tuple[int, int]]) -> None:
    index = Index()
    ids = index.series_ids([(("a", str(a)), ("b", str(b))) for a, b in pairs])
    assert index.view(index.size).values("b", ids) == sorted({str(b) for _, b in pairs})


def test_ten_labels_cost_less_than_three_hundred_bytes_a_series() -> None:
    names = "abcdefghij"
    values = [str(i) for i in range(100)]
    series = [
        tuple((name, values[i // 100 if name < "c" else i % 100]) for name in names) for i in range(10_000)
    ]
    tracemalloc.start()
    try:
        index = indexed(series)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert index.size == 10_000
    assert held / index.size < 300
    assert 0.5 * held < index.memory_bytes() < 1.5 * held
