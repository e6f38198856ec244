import numpy as np
import pytest

from collector.errors import ExpositionError
from collector.exposition import (
    NO_TIMESTAMP,
    OPENMETRICS,
    TEXT,
    Format,
    LineMemory,
    Metadata,
    MetricType,
    Repeat,
)


def named(name: str, **labels: str) -> tuple[tuple[str, str], ...]:
    return (("__name__", name), *sorted(labels.items()))


def test_first_body_adds_all_its_series() -> None:
    update = LineMemory(TEXT).update(b'# TYPE a gauge\na{b="c"} 1\n\na 2\n')
    assert update.added == {0: named("a", b="c"), 1: named("a")}
    assert update.slots.tolist() == [0, 1]
    assert update.values.tolist() == [1, 2]
    assert update.timestamps_ms is None
    assert update.vanished.tolist() == []
    assert update.repeats == []
    assert update.metadata == {"a": Metadata(MetricType.GAUGE)}


def test_changed_values_keep_slots_and_metadata() -> None:
    memory = LineMemory(TEXT)
    before = memory.update(b"# TYPE a gauge\na 1\nb 2\nc 3\n")
    update = memory.update(b"# TYPE a gauge\na 1\nb +Inf\nc 33\n")
    assert update.slots is before.slots
    assert update.values.tolist() == [1, float("inf"), 33]
    assert before.values.tolist() == [1, 2, 3]
    assert (update.added, update.vanished.tolist(), update.metadata) == ({}, [], None)


def test_inserted_line_adds_one_series_and_moves_the_others() -> None:
    memory = LineMemory(TEXT)
    memory.update(b"a 1\nb 2\n")
    update = memory.update(b"a 1\nnew 5\nb 2\n")
    assert update.added == {2: named("new")}
    assert update.slots.tolist() == [0, 2, 1]
    assert update.values.tolist() == [1, 5, 2]


def test_vanished_slot_is_given_away_by_the_next_update_not_by_this_one() -> None:
    memory = LineMemory(TEXT)
    memory.update(b"a 1\nb 2\n")
    update = memory.update(b"a 1\nc 3\n")
    assert update.vanished.tolist() == [1]
    assert update.added == {2: named("c")}
    assert memory.update(b"a 1\nc 3\nd 4\n").added == {1: named("d")}


def test_several_vacant_slots_are_each_given_to_one_series() -> None:
    memory = LineMemory(TEXT)
    memory.update(b"a 1\nb 2\nc 3\n")
    memory.update(b"c 3\n")
    added = memory.update(b"c 3\nd 4\ne 5\nf 6\n").added
    assert sorted(added) == [0, 1, 3]
    update = memory.update(b"c 3\nd 4\nf 6\n")
    assert [added[slot] for slot in update.vanished.tolist()] == [named("e")]
    assert memory.update(b"c 3\nd 5\nf 6\n").added == {}


def test_returned_series_is_new() -> None:
    memory = LineMemory(TEXT)
    memory.update(b"a 1\nb 2\n")
    memory.update(b"a 1\n")
    assert memory.update(b"a 1\nb 2\n").added == {1: named("b")}


def test_swapped_lines_swap_the_slots_only() -> None:
    memory = LineMemory(TEXT)
    memory.update(b"a 1\nb 2\n")
    update = memory.update(b"b 2\na 1\n")
    assert (update.slots.tolist(), update.values.tolist()) == ([1, 0], [2, 1])
    assert (update.added, update.vanished.tolist()) == ({}, [])


@pytest.mark.parametrize("form", [TEXT, OPENMETRICS])
def test_empty_body_makes_all_series_vanish(form: Format) -> None:
    memory = LineMemory(form)
    memory.update(b"# TYPE a gauge\na 1\nb 2\n# EOF\n")
    update = memory.update(b"")
    assert update.vanished.tolist() == [0, 1]
    assert update.slots.tolist() == []
    assert update.metadata == {}


BROKEN = [
    b"a 1\nb 2\nnew 3\nb",
    b"a 1\nb 2x\n",
    b"a 1_0\nb 2\n",
    b"a 1\rb 2\n",
    b"a 1\nb 2 3x\n",
    b"# TYPE a gage\na 1\n",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_body_leaves_the_memory_as_it_was(broken: bytes) -> None:
    memory = LineMemory(TEXT)
    before = memory.update(b"a 1\nb 2\n")
    with pytest.raises(ExpositionError):
        memory.update(broken)
    update = memory.update(b"a 1\nb 3\nnew 4\n")
    assert update.added == {2: named("new")}
    assert update.values.tolist() == [1, 3, 4]
    assert before.values.tolist() == [1, 2]


def test_error_in_a_changed_line_names_that_line() -> None:
    memory = LineMemory(TEXT)
    memory.update(b"a 1\nb 2\nc 3\n")
    with pytest.raises(ExpositionError) as raised:
        memory.update(b"a 1\nb 3\nc 4x\n")
    assert (raised.value.line_number, raised.value.column, raised.value.line) == (3, 3, "c 4x")


def test_first_of_two_samples_wins() -> None:
    memory = LineMemory(TEXT)
    update = memory.update(b"a 1\nb 2\na 3\n")
    assert update.values.tolist() == [1, 2]
    assert update.repeats == [Repeat(0, 3, None)]
    update = memory.update(b"a 1\nb 2\na 4\n")
    assert update.values.tolist() == [1, 2]
    assert update.repeats == [Repeat(0, 4, None)]


def test_repeated_sample_counts_once_the_first_is_gone() -> None:
    memory = LineMemory(TEXT)
    memory.update(b"a 1\nb 2\na 3\n")
    update = memory.update(b"# gone\nb 2\na 3\n")
    assert (update.slots.tolist(), update.values.tolist()) == ([1, 0], [2, 3])
    assert (update.repeats, update.vanished.tolist()) == ([], [])


def test_repeated_sample_with_a_timestamp_keeps_it() -> None:
    update = LineMemory(TEXT).update(b"a 1 1000\na 2 2000\n")
    assert update.repeats == [Repeat(0, 2, 2000)]


def test_timestamps_stand_beside_the_samples_that_have_one() -> None:
    memory = LineMemory(TEXT)
    first = memory.update(b"a 1 1000\nb 2\n")
    second = memory.update(b"a 1 2000\nb 2 7\n")
    third = memory.update(b"a 2\nb 2\n")
    assert first.timestamps_ms is not None
    assert second.timestamps_ms is not None
    assert first.timestamps_ms.tolist() == [1000, NO_TIMESTAMP]
    assert second.timestamps_ms.tolist() == [2000, 7]
    assert third.timestamps_ms is None


def test_openmetrics_lines_with_timestamps_and_exemplars_keep_their_slots() -> None:
    memory = LineMemory(OPENMETRICS)
    memory.update(b'a_total 1 1.5 # {b="c"} 1\nb 2 1.5\nc 3\n# EOF\n')
    update = memory.update(b'a_total 2 3.5 # {b="d"} 1 3\nb 3 3.5\nc 4\n# EOF\n')
    assert (update.values.tolist(), update.added) == ([2, 3, 4], {})
    assert update.timestamps_ms is not None
    assert update.timestamps_ms.tolist() == [3500, 3500, NO_TIMESTAMP]


def test_changed_help_is_reported_though_no_series_changed() -> None:
    memory = LineMemory(TEXT)
    before = memory.update(b"# HELP a Old.\na 1\n")
    update = memory.update(b"# HELP a New.\na 1\n")
    assert update.slots is before.slots
    assert update.metadata == {"a": Metadata(help="New.")}
    assert memory.update(b"# HELP a New.\n# remark\na 1\n").metadata is None


def test_bound_of_a_new_series_follows_the_type_line_above_it() -> None:
    memory = LineMemory(TEXT)
    memory.update(b'# TYPE h histogram\nh_bucket{le="1"} 1\n# TYPE g gauge\ng 1\n')
    update = memory.update(
        b'# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="2"} 1\n# TYPE g gauge\ng 1\ng{le="2"} 1\n'
    )
    assert list(update.added.values()) == [named("h_bucket", le="2.0"), named("g", le="2")]


def test_bound_of_a_new_series_follows_the_last_of_several_types() -> None:
    memory = LineMemory(TEXT)
    memory.update(b"# TYPE g gauge\ng 1\n# TYPE h histogram\n")
    update = memory.update(b'# TYPE g gauge\ng 1\n# TYPE h histogram\nh_bucket{le="1"} 1\n')
    assert list(update.added.values()) == [named("h_bucket", le="1.0")]


def test_line_feed_in_a_label_value_is_remembered_like_any_other() -> None:
    memory = LineMemory(TEXT)
    memory.update(b'a{b="1\n2"} 1\nc 1\n')
    update = memory.update(b'a{b="1\n2"} 2\nc 3\n')
    assert (update.slots.tolist(), update.values.tolist(), update.added) == ([0, 1], [2, 3], {})


def test_series_spelt_in_two_ways_has_two_slots() -> None:
    update = LineMemory(TEXT).update(b'a{b="c"} 1\na{b="c",} 1\n')
    assert update.added == {0: named("a", b="c"), 1: named("a", b="c")}


def test_many_rounds_of_new_series_need_no_more_slots_than_two_bodies_have() -> None:
    memory = LineMemory(TEXT)
    for round_number in range(50):
        update = memory.update(b"".join(b"a%d_%d 1\n" % (round_number, i) for i in range(10)))
        assert np.max(update.slots) < 20
