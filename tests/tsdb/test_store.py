import numpy as np
import pytest

from tests.tsdb.reading import everything, samples_of, series, times
from tsdb import ABSENT, STALE, Matcher, MatchOp, Outcome, Store, labels_from
from tsdb.histogram import CounterReset, FloatHistogram
from tsdb.sample import STALE_BITS, FloatArray, IntArray

TWO_HOURS_MS = 7_200_000


def numbers(*values: float) -> FloatArray:
    return np.array(values, dtype=np.float64)


def opaque(*names: str) -> list[FloatHistogram]:
    """Histograms that differ by name only."""
    return [FloatHistogram(sum=float(ord(name))) for name in names]


def read(store: Store, now_ms: int = 0) -> list[list[tuple[int, float]]]:
    """Samples of each series in order of `i`, as numbers."""
    found = samples_of(everything(store.snapshot(now_ms)))
    return [
        [(at, float(np.array([bits], dtype=np.uint64).view(np.float64)[0])) for at, bits in found[labels]]
        for labels in sorted(found)
    ]


def slab_count(store: Store) -> int:
    return len(everything(store.snapshot(0)).slabs)


def test_the_same_labels_have_the_same_id() -> None:
    store = Store(retention_ms=None)
    first, second = store.series_ids(series(2)), store.series_ids(series(3))
    assert second[:2].tolist() == first.tolist()
    assert len(set(second.tolist())) == 3


def test_a_sample_older_than_its_series_newest_is_out_of_order() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(1))
    store.append(ids, 1000, numbers(1.0))
    assert store.append(ids, 999, numbers(2.0)).out_of_order == 1
    assert read(store) == [[(1000, 1.0)]]


def test_the_same_sample_again_is_no_error() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(1))
    store.append(ids, 1000, numbers(np.nan))
    again = store.append(ids, 1000, numbers(np.nan))
    assert (again.stored, again.duplicate, again.outcomes) == (1, 0, None)


def test_another_value_at_the_same_time_is_a_duplicate() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(1))
    store.append(ids, 1000, numbers(0.0))
    assert store.append(ids, 1000, numbers(-0.0)).duplicate == 1
    assert read(store) == [[(1000, 0.0)]]


def test_of_one_series_twice_in_a_batch_the_first_sample_is_kept() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(1))[[0, 0, 0]]
    appended = store.append(ids, 1000, numbers(1.0, 2.0, 1.0))
    assert appended.outcomes is not None
    assert appended.outcomes.tolist() == [Outcome.STORED, Outcome.DUPLICATE, Outcome.STORED]
    assert read(store) == [[(1000, 1.0)]]


def test_refused_samples_are_named_and_the_rest_is_stored() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(3))
    store.append(ids[:1], 2000, numbers(1.0))
    store.append(ids[1:2], 1000, numbers(1.0))
    appended = store.append(ids, 1000, numbers(5.0, 6.0, 7.0))
    assert (appended.stored, appended.out_of_order, appended.duplicate) == (1, 1, 1)
    assert appended.outcomes is not None
    assert appended.outcomes.tolist() == [Outcome.OUT_OF_ORDER, Outcome.DUPLICATE, Outcome.STORED]


def test_a_sample_older_than_the_retention_at_the_last_expiry_is_too_old() -> None:
    store = Store(retention_ms=TWO_HOURS_MS)
    store.expire(TWO_HOURS_MS + 500)
    ids = store.series_ids(series(1))
    assert store.append(ids, 499, numbers(1.0)).too_old == 1
    assert store.append(ids, 500, numbers(1.0)).stored == 1


def test_a_sample_exactly_as_old_as_the_retention_is_seen_and_one_a_millisecond_older_is_not() -> None:
    store = Store(retention_ms=TWO_HOURS_MS)
    ids = store.series_ids(series(1))
    store.append_matrix(ids, times(0, 1), numbers(1.0, 2.0)[:, None])
    assert read(store, TWO_HOURS_MS) == [[(0, 1.0), (1, 2.0)]]
    assert read(store, TWO_HOURS_MS + 1) == [[(1, 2.0)]]
    assert read(store, TWO_HOURS_MS + 2) == []


def test_without_a_retention_everything_is_kept() -> None:
    store = Store(retention_ms=None)
    store.append(store.series_ids(series(1)), 0, numbers(1.0))
    store.expire(10**15)
    assert read(store, 10**15) == [[(0, 1.0)]]


def test_a_series_without_samples_in_the_retention_is_not_listed() -> None:
    store = Store(retention_ms=TWO_HOURS_MS)
    old, new = store.series_ids([labels_from({"__name__": "old"}), labels_from({"__name__": "new"})])
    store.append(np.array([old]), 0, numbers(1.0))
    store.append(np.array([new]), TWO_HOURS_MS + 1, numbers(1.0))
    snapshot = store.snapshot(TWO_HOURS_MS + 1)
    assert snapshot.label_values("__name__", [], 0, 10**9) == ["new"]
    assert snapshot.series([], 0, 10**9).series() == [(("__name__", "new"),)]


def test_expiry_frees_memory() -> None:
    store = Store(retention_ms=TWO_HOURS_MS)
    ids = store.series_ids(series(100))
    store.append_matrix(ids, np.arange(480) * 15_000, np.random.default_rng(1).random((480, 100)))
    before = store.stats().memory_bytes
    store.expire(3 * TWO_HOURS_MS)
    assert store.stats().memory_bytes < before / 4


def test_a_series_that_returns_after_its_ring_expired_is_found_again() -> None:
    store = Store(retention_ms=100)
    ids = store.series_ids(series(1))
    store.append(ids, 0, numbers(1.0))
    store.expire(1000)
    store.append(store.series_ids(series(1)), 1000, numbers(2.0))
    assert read(store, 1000) == [[(1000, 2.0)]]
    assert store.snapshot(1000).label_names([], 0, 999) == []


def test_a_stale_marker_is_stored_as_it_is() -> None:
    store = Store(retention_ms=None)
    store.append(store.series_ids(series(1)), 0, numbers(STALE))
    assert list(samples_of(everything(store.snapshot(0))).values()) == [[(0, STALE_BITS)]]


def test_series_of_one_scrape_share_a_slab() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(10))
    for time_ms in (0, 15_000, 30_000):
        store.append(ids, time_ms, np.arange(10.0))
    assert slab_count(store) == 1


def test_a_scrape_that_comes_in_two_requests_shares_a_slab() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(10))
    for time_ms in (0, 15_000, 30_000):
        store.append(ids[:5], time_ms, np.arange(5.0))
        store.append(ids[5:], time_ms, np.arange(5.0))
    assert slab_count(store) == 1


def test_the_second_request_of_a_scrape_may_come_after_the_head_was_sealed(short_heads: None) -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(2))
    for time_ms in range(40):
        store.append(ids[:1], time_ms, numbers(1.0))
        store.append(ids[1:], max(time_ms - 1, 0), numbers(2.0))
    assert slab_count(store) == 1
    assert read(store) == [[(at, 1.0) for at in range(40)], [(at, 2.0) for at in range(39)]]


def known_ids(store: Store, *members: int) -> IntArray:
    """Ids that the store recognises when they come again."""
    ids = store.series_ids(series(4))[list(members)]
    ids.flags.writeable = False
    return ids


def test_known_ids_are_looked_up_again_when_a_series_has_left_their_ring() -> None:
    store = Store(retention_ms=None)
    both, first, second = known_ids(store, 0, 1), known_ids(store, 0), known_ids(store, 1)
    store.append(both, 0, numbers(1.0, 2.0))
    store.append(both, 10, numbers(1.0, 2.0))
    store.append(first, 20, numbers(1.0))
    store.append(second, 15, numbers(2.0))
    store.append(both, 30, numbers(1.0, 2.0))
    assert [at for at, _ in read(store)[0]] == [0, 10, 20, 30]
    assert [at for at, _ in read(store)[1]] == [0, 10, 15, 30]


def test_known_ids_are_looked_up_again_when_their_ring_has_other_columns(short_heads: None) -> None:
    store = Store(retention_ms=None)
    store.append(known_ids(store, 2, 3), 0, numbers(3.0, 4.0))
    ids, times_ms = known_ids(store, 0, 1), list(range(0, 300, 10))
    for at in times_ms:
        store.append(ids, at, numbers(1.0, 2.0))
    assert read(store)[:2] == [[(at, n) for at in times_ms] for n in (1.0, 2.0)]


def test_series_set_apart_share_no_slab_with_others_of_their_time() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(4))
    store.set_apart(ids[2:3])
    for at in (0, 10):
        store.append(ids[:2], at, numbers(1.0, 2.0))
        store.append(ids[2:], at, numbers(3.0, 4.0))
    assert read(store) == [[(0, n), (10, n)] for n in (1.0, 2.0, 3.0, 4.0)]
    assert sorted(len(slab.series) for slab in everything(store.snapshot(0)).slabs) == [2, 2]


def test_setting_apart_leaves_series_with_samples_where_they_are() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(2))
    store.append(ids, 0, numbers(1.0, 2.0))
    store.set_apart(ids[:1])
    store.append(ids, 10, numbers(1.0, 2.0))
    assert slab_count(store) == 1


def test_new_series_join_the_ring_of_the_scrape_they_come_with() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(10))
    store.append(ids[:9], 0, np.arange(9.0))
    store.append(ids, 15_000, np.arange(10.0))
    assert slab_count(store) == 1


def test_two_targets_scraped_at_different_times_have_slabs_of_their_own() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(4))
    for time_ms in (0, 15_000):
        store.append(ids[:2], time_ms, numbers(1.0, 2.0))
        store.append(ids[2:], time_ms + 7, numbers(3.0, 4.0))
    assert slab_count(store) == 2


def test_targets_that_met_by_chance_part_when_the_head_is_sealed(short_heads: None) -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(4))
    store.append(ids[:2], 0, numbers(1.0, 1.0))
    store.append(ids[2:], 0, numbers(2.0, 2.0))
    assert slab_count(store) == 1
    for time_ms in range(10, 100, 10):
        store.append(ids[:2], time_ms, numbers(1.0, 1.0))
        store.append(ids[2:], time_ms + 3, numbers(2.0, 2.0))
    assert slab_count(store) == 2
    expected = [(0, 1.0), *[(at, 1.0) for at in range(10, 100, 10)]]
    assert read(store)[:2] == [expected, expected]


def test_a_series_that_writes_between_the_rows_of_its_ring_is_read_in_full() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(2))
    store.append(ids, 0, numbers(1.0, 2.0))
    store.append(ids[:1], 100, numbers(1.0))
    store.append(ids[1:], 50, numbers(2.0))
    assert read(store) == [[(0, 1.0), (100, 1.0)], [(0, 2.0), (50, 2.0)]]


def test_a_series_that_left_its_ring_and_expired_may_come_back_to_it() -> None:
    store = Store(retention_ms=60)
    ids = store.series_ids(series(2))
    store.append(ids, 0, numbers(1.0, 1.0))
    store.append(ids[:1], 4, numbers(1.0))
    store.append(ids[1:], 1, numbers(1.0))
    store.expire(62)
    store.append(store.series_ids(series(2)), 62, numbers(2.0, 2.0))
    assert read(store, 62) == [[(4, 1.0), (62, 2.0)], [(62, 2.0)]]


def test_a_snapshot_taken_before_a_series_moved_still_shows_it() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(2))
    store.append(ids, 0, numbers(1.0, 2.0))
    store.append(ids[:1], 100, numbers(1.0))
    before = store.snapshot(0)
    store.append(ids[1:], 50, numbers(2.0))
    assert [len(samples) for samples in samples_of(everything(before)).values()] == [2, 1]


def test_a_snapshot_does_not_change_with_later_appends() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(2))
    store.append(ids, 0, numbers(1.0, 2.0))
    before = store.snapshot(0)
    store.append(store.series_ids(series(20)), 1, np.arange(20.0))
    assert everything(before).labels.size == 2
    assert [len(samples) for samples in samples_of(everything(before)).values()] == [1, 1]


def test_pushes_at_a_thousand_different_offsets_cost_at_most_three_times_the_aligned_ones() -> None:
    def memory_bytes(offsets_ms: int) -> int:
        store = Store(retention_ms=TWO_HOURS_MS)
        ids = store.series_ids(series(200))
        random = np.random.default_rng(7)
        for time_ms in range(0, TWO_HOURS_MS, 60_000):
            at_ms = time_ms + np.arange(200, dtype=np.int64) * offsets_ms
            store.append(ids, at_ms, random.random(200))
        return store.stats().memory_bytes

    assert memory_bytes(offsets_ms=14) <= 3 * memory_bytes(offsets_ms=0)


def test_a_matrix_is_read_back_through_sealed_blocks_and_head() -> None:
    store = Store(retention_ms=None)
    values = np.random.default_rng(3).random((500, 6))
    values[values < 0.1] = ABSENT
    store.append_matrix(store.series_ids(series(6)), np.arange(500) * 10, values)
    (slab,) = everything(store.snapshot(0)).slabs
    assert np.array_equal(slab.read().view(np.uint64), values.view(np.uint64))
    part = slab.read(slice(2, 5), slice(100, 400))
    assert np.array_equal(part.view(np.uint64), values[100:400, 2:5].view(np.uint64))


def test_no_columns_or_no_rows_read_as_an_empty_matrix() -> None:
    store = Store(retention_ms=None)
    values = np.random.default_rng(3).random((500, 2))
    values[:, 0] = 1.0
    store.append_matrix(store.series_ids(series(2)), np.arange(500) * 10, values)
    (slab,) = everything(store.snapshot(0)).slabs
    assert slab.read(slice(1, 1)).shape == (500, 0)
    assert slab.read(slice(0, 2), slice(7, 7)).shape == (0, 2)


def test_a_slab_is_clipped_to_the_range_at_both_ends_inclusive() -> None:
    store = Store(retention_ms=None)
    store.append_matrix(store.series_ids(series(1)), np.arange(500) * 10, np.zeros((500, 1)))
    (slab,) = everything(store.snapshot(0), 1000, 2000).slabs
    assert (slab.timestamps_ms[0], slab.timestamps_ms[-1], len(slab.timestamps_ms)) == (1000, 2000, 101)


def test_histograms_follow_the_rules_of_floats() -> None:
    store = Store(retention_ms=None)
    (series_id,) = store.series_ids(series(1)).tolist()
    store.append_histograms(series_id, [10], opaque("a"))
    appended = store.append_histograms(series_id, [9, 10, 10, 11], opaque("a", "a", "b", "c"))
    assert appended.outcomes is not None
    assert [Outcome(outcome).name for outcome in appended.outcomes] == [
        "OUT_OF_ORDER",
        "STORED",
        "DUPLICATE",
        "STORED",
    ]
    (found,) = everything(store.snapshot(0)).histograms
    assert (found.timestamps_ms.tolist(), list(found.histograms)) == ([10, 11], opaque("a", "c"))


def test_histograms_are_stored_with_what_is_known_about_resets() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(1))
    counts = [FloatHistogram(count=count) for count in (2.0, 3.0, 1.0)]
    store.append_histograms(int(ids[0]), [10, 20, 30], counts)
    store.append(ids, 40, numbers(STALE))
    store.append_histograms(int(ids[0]), [50], counts[:1])
    (found,) = everything(store.snapshot(0)).histograms
    hints = [histogram.counter_reset_hint for histogram in found.histograms]
    assert hints == [
        CounterReset.UNKNOWN,
        CounterReset.NOT_RESET,
        CounterReset.UNKNOWN,
        CounterReset.UNKNOWN,
    ]


def test_a_float_at_the_time_of_a_histogram_is_a_duplicate() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(1))
    store.append_histograms(int(ids[0]), [10], opaque("a"))
    assert store.append(ids, 10, numbers(1.0)).duplicate == 1


def test_the_stale_marker_after_histograms_is_a_float_of_the_same_series() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(1))
    store.append_histograms(int(ids[0]), [10], opaque("a"))
    store.append(ids, 20, numbers(STALE))
    selection = everything(store.snapshot(0))
    assert list(samples_of(selection).values()) == [[(20, STALE_BITS)]]
    assert len(selection.histograms) == 1


def test_start_timestamps_are_selected_where_there_are_any() -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids(series(2))
    store.append_matrix(ids, times(10, 20), np.zeros((2, 2)))
    store.append_start_timestamps(int(ids[1]), [10, 20], [3, 15])
    (found,) = everything(store.snapshot(0), 0, 15).start_timestamps
    assert (found.position, found.timestamps_ms.tolist(), found.start_timestamps_ms.tolist()) == (
        1,
        [10],
        [3],
    )


@pytest.mark.parametrize("op", [MatchOp.EQUAL, MatchOp.MATCHES])
def test_a_matcher_of_the_empty_string_selects_series_without_the_label(op: MatchOp) -> None:
    store = Store(retention_ms=None)
    ids = store.series_ids([labels_from({"__name__": "m", "pod": "a"}), labels_from({"__name__": "m"})])
    store.append(ids, 0, numbers(1.0, 2.0))
    selection = store.snapshot(0).select([Matcher("pod", op, "")], 0, 0)
    assert selection.labels.series() == [(("__name__", "m"),)]


def test_stats_count_what_is_kept() -> None:
    store = Store(retention_ms=TWO_HOURS_MS)
    ids = store.series_ids([*series(3, pod="a"), labels_from({"__name__": "up", "pod": "b"})])
    store.append(ids, 10, numbers(1.0, 2.0, 3.0, 4.0))
    store.append(ids[:1], 20, numbers(1.0))
    stats = store.stats()
    assert (stats.series, stats.samples_appended, stats.label_pairs) == (4, 5, 7)
    assert (stats.min_time_ms, stats.max_time_ms) == (10, 20)
    assert stats.series_by_metric(10) == [("m", 3), ("up", 1)]
    assert stats.values_by_label(1) == [("i", 3)]
    assert stats.series_by_pair(2) == [("__name__=m", 3), ("pod=a", 3)]
