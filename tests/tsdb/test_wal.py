"""What is there after a stop of any kind: everything that an append returned for."""

from pathlib import Path

import numpy as np
import pytest

from tests.tsdb.logging_to import checkpoint, content, files, killed, named, opened, put, values_of
from tests.tsdb.reading import everything
from tsdb import ABSENT, STALE, labels_from
from tsdb.disk import Disk
from tsdb.errors import FolderLockedError
from tsdb.histogram import Buckets, CounterReset, FloatHistogram
from tsdb.wal_store import LoggedStore


def damaged(folder: Path) -> tuple[LoggedStore, tuple[str, ...]]:
    """A store on a folder, and the problems of loading it."""
    store = LoggedStore(retention_ms=1_000_000)
    return store, store.open(Disk(), folder, 0).problems


def test_samples_are_there_after_a_kill(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.5), (2, 2.5))
    put(store, "b", (2, -0.0))
    before = content(store)
    killed(store)
    assert content(opened(tmp_path)) == before


def test_samples_are_there_after_a_checkpoint_and_a_kill(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0), (2, 2.0))
    checkpoint(store)
    put(store, "a", (3, 3.0))
    killed(store)
    assert values_of(opened(tmp_path), "a") == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_checkpoint_removes_what_it_replaces(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0))
    checkpoint(store)
    checkpoint(store)
    assert files(tmp_path) == ["log.00000003", "rings.00000003"]


def test_bits_of_special_values_survive(tmp_path: Path) -> None:
    payload = np.array([0x7FF8_0000_DEAD_BEEF], dtype=np.uint64).view(np.float64)[0]
    store = opened(tmp_path)
    ids = store.series_ids([named(str(number)) for number in range(5)])
    store.append(ids, 1, np.array([payload, STALE, -0.0, np.inf, 5e-324]))
    before = content(store)
    killed(store)
    store = opened(tmp_path)
    assert content(store) == before
    checkpoint(store)
    killed(store)
    assert content(opened(tmp_path)) == before


def test_matrix_with_gaps_survives(tmp_path: Path) -> None:
    store = opened(tmp_path)
    ids = store.series_ids([named("a"), named("b")])
    values = np.array([[1.0, ABSENT], [ABSENT, 2.0], [3.0, 4.0]])
    store.append_matrix(ids, np.array([1, 2, 3]), values)
    before = content(store)
    killed(store)
    assert content(opened(tmp_path)) == before


def test_refused_samples_are_not_invented(tmp_path: Path) -> None:
    store = opened(tmp_path, now_ms=2_000_000)
    ids = store.series_ids([named("a"), named("b")])
    store.append(ids[:1], 2_000_000, np.array([1.0]))
    store.append(ids, 1_500_000, np.array([2.0, 3.0]))
    store.append(ids[1:], 999_999, np.array([4.0]))
    killed(store)
    store = opened(tmp_path)
    assert values_of(store, "a") == [(2_000_000, 1.0)]
    assert values_of(store, "b") == [(1_500_000, 3.0)]


def test_histograms_and_floats_of_one_series_survive_in_order(tmp_path: Path) -> None:
    histogram = FloatHistogram(
        schema=1,
        count=6.5,
        sum=float("nan"),
        zero_threshold=0.01,
        zero_count=1.5,
        positive=Buckets.dense(-2, (1.0, 2.0)),
        negative=Buckets.dense(3, (2.0,)),
    )
    custom = FloatHistogram(
        schema=-53, count=3, sum=5, positive=Buckets.dense(0, (3.0,)), custom_values=(1.5,)
    )
    store = opened(tmp_path)
    (series_id,) = store.series_ids([named("h")]).tolist()
    store.append_histograms(series_id, [1, 2], [histogram, histogram])
    put(store, "h", (3, STALE))
    store.append_histograms(series_id, [4], [custom.with_hint(CounterReset.GAUGE)])
    for _ in range(2):
        (found,) = everything(store.snapshot(0)).histograms
        assert found.timestamps_ms.tolist() == [1, 2, 4]
        assert list(found.histograms) == [histogram, histogram, custom]
        hints = [one.counter_reset_hint for one in found.histograms]
        assert hints == [CounterReset.UNKNOWN, CounterReset.NOT_RESET, CounterReset.GAUGE]
        assert [time_ms for time_ms, _ in content(store)[named("h")]] == [3]
        checkpoint(store)
        killed(store)
        store = opened(tmp_path)


def test_start_timestamps_survive(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (5, 1.0), (7, 2.0))
    (series_id,) = store.series_ids([named("a")]).tolist()
    store.append_start_timestamps(series_id, [5, 7], [1, 6])
    for _ in range(2):
        (starts,) = everything(store.snapshot(0)).start_timestamps
        assert starts.start_timestamps_ms.tolist() == [1, 6]
        killed(store)
        store = opened(tmp_path)
        checkpoint(store)


def test_id_that_is_given_away_again_stands_for_its_new_series(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "old", (1, 1.0))
    store.expire(1_000_002)
    put(store, "new", (1_000_002, 2.0))
    killed(store)
    store = opened(tmp_path)
    assert values_of(store, "old") == [(1, 1.0)]
    assert values_of(store, "new") == [(1_000_002, 2.0)]


def test_what_expired_meanwhile_is_not_loaded(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0), (500_000, 2.0))
    killed(store)
    assert values_of(opened(tmp_path, now_ms=1_000_002), "a") == [(500_000, 2.0)]


def test_clock_that_jumped_back_loses_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path, now_ms=9_000_000)
    put(store, "a", (9_000_000, 1.0))
    killed(store)
    store = opened(tmp_path, now_ms=8_000_000)
    assert values_of(store, "a") == [(9_000_000, 1.0)]
    put(store, "b", (8_000_000, 2.0))
    killed(store)
    assert values_of(opened(tmp_path, now_ms=8_000_000), "b") == [(8_000_000, 2.0)]


def test_steady_row_costs_a_bit_a_sample(tmp_path: Path) -> None:
    store = opened(tmp_path)
    ids = store.series_ids([named(str(number)) for number in range(800)])
    values = np.arange(800.0)
    store.append(ids, 1, values)
    size = (tmp_path / "log.00000001").stat().st_size
    store.append(ids, 2, values)
    assert (tmp_path / "log.00000001").stat().st_size - size == 9 + 12 + 100


@pytest.mark.parametrize("cut", range(1, 40))
def test_torn_last_record_loses_that_record_alone(tmp_path: Path, cut: int) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0), (2, 2.0))
    killed(store)
    segment = tmp_path / "log.00000001"
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-cut])
    last_bytes = 9 + 12 + 1 + 8
    store, problems = damaged(tmp_path)
    assert values_of(store, "a") == ([(1, 1.0)] if cut <= last_bytes else [])
    assert bool(problems) == (cut != last_bytes)


def test_damaged_record_ends_its_segment_and_the_next_one_is_read(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0), (2, 2.0), (3, 3.0))
    killed(store)
    store = opened(tmp_path)
    put(store, "a", (4, 4.0))
    killed(store)
    segment = tmp_path / "log.00000001"
    content = bytearray(segment.read_bytes())
    content[-40] ^= 1  # in the record before the last
    segment.write_bytes(content)
    store, problems = damaged(tmp_path)
    assert values_of(store, "a") == [(1, 1.0), (4, 4.0)]
    assert problems == (
        f"log.00000001: a record does not match its checksum at offset {len(content) - 60}; "
        "the 60 bytes from there on are lost",
    )
    checkpoint(store)
    killed(store)
    assert values_of(opened(tmp_path), "a") == [(1, 1.0), (4, 4.0)]


def test_damaged_snapshot_is_loaded_up_to_the_damage(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0))
    checkpoint(store)
    put(store, "a", (2, 2.0))
    killed(store)
    snapshot = tmp_path / "rings.00000002"
    snapshot.write_bytes(snapshot.read_bytes()[:-9])
    store, problems = damaged(tmp_path)
    assert values_of(store, "a") == [(1, 1.0), (2, 2.0)]
    assert problems == ("rings.00000002 has no end; the series that are missing are lost",)


def test_snapshot_that_was_not_finished_is_removed(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0))
    killed(store)
    (tmp_path / "rings.00000002.new").write_bytes(b"half")
    assert values_of(opened(tmp_path), "a") == [(1, 1.0)]
    assert "rings.00000002.new" not in files(tmp_path)


def test_kill_between_rename_and_removal_changes_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0))
    old = (tmp_path / "log.00000001").read_bytes()
    checkpoint(store)
    put(store, "a", (2, 2.0))
    killed(store)
    (tmp_path / "log.00000001").write_bytes(old)
    assert values_of(opened(tmp_path), "a") == [(1, 1.0), (2, 2.0)]


def test_sample_written_while_a_snapshot_is_made_is_there_once(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0))
    assert store.log
    begun = store.log.begin(store, 0)
    put(store, "a", (2, 2.0))
    put(store, "b", (1, 3.0))
    store.log.finish(begun)
    killed(store)
    store = opened(tmp_path)
    assert values_of(store, "a") == [(1, 1.0), (2, 2.0)]
    assert values_of(store, "b") == [(1, 3.0)]


def test_histogram_that_a_snapshot_saw_early_does_not_shut_out_floats_before_it(tmp_path: Path) -> None:
    store = opened(tmp_path)
    (series_id,) = store.series_ids([named("a")]).tolist()
    store.append_histograms(series_id, [1], [FloatHistogram(count=1)])
    put(store, "a", (2, 2.0))
    assert store.log
    begun = store.log.begin(store, 0)
    put(store, "a", (3, 3.0))
    store.append_histograms(series_id, [4], [FloatHistogram(count=4)])
    store.log.finish(begun)
    killed(store)
    store = opened(tmp_path)
    assert values_of(store, "a") == [(2, 2.0), (3, 3.0)]
    (found,) = everything(store.snapshot(0)).histograms
    assert found.timestamps_ms.tolist() == [1, 4]


def test_second_process_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with pytest.raises(FolderLockedError, match=r"is in use by process \d+"):
        opened(tmp_path)
    killed(store)
    opened(tmp_path)


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "wal").mkdir()
    (tmp_path / "log.txt").write_text("mine")
    store = opened(tmp_path)
    put(store, "a", (1, 1.0))
    checkpoint(store)
    assert files(tmp_path) == ["log.00000002", "log.txt", "rings.00000002", "wal"]


def test_large_segment_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsdb.wal.SEGMENT_BYTES", 200)
    store = opened(tmp_path)
    put(store, "a", *[(time_ms, float(time_ms)) for time_ms in range(20)])
    assert len(files(tmp_path)) > 2
    killed(store)
    assert values_of(opened(tmp_path), "a") == [(time_ms, float(time_ms)) for time_ms in range(20)]


def test_series_that_change_rows_keep_the_order_of_their_samples(tmp_path: Path) -> None:
    store = opened(tmp_path)
    ids = store.series_ids([named("a"), named("b"), labels_from({"__name__": "c", "x": "ü\n\"'"})])
    for time_ms in range(1, 9):
        rows = ids[:2] if time_ms % 2 else ids[1:]
        store.append(rows, time_ms, np.full(2, float(time_ms)))
    before = content(store)
    killed(store)
    assert content(opened(tmp_path)) == before


def test_samples_that_came_out_of_order_survive(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.out_of_order_window_ms = 100
    put(store, "a", (50, 5.0), (10, 1.0), (30, 3.0))
    killed(store)
    store = opened(tmp_path)
    assert values_of(store, "a") == [(10, 1.0), (30, 3.0), (50, 5.0)]
    checkpoint(store)
    killed(store)
    assert values_of(opened(tmp_path), "a") == [(10, 1.0), (30, 3.0), (50, 5.0)]


def test_memory_limit_refuses_no_series_that_was_acknowledged(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, "a", (1, 1.0))
    killed(store)
    store = LoggedStore(retention_ms=1000, memory_limit_bytes=1)
    store.open(Disk(), tmp_path, 0)
    assert values_of(store, "a") == [(1, 1.0)]


def test_series_without_room_is_not_logged(tmp_path: Path) -> None:
    store = LoggedStore(retention_ms=1000, memory_limit_bytes=1)
    store.open(Disk(), tmp_path, 0)
    ids = store.series_ids([named("a")])
    assert store.append(ids, 1, np.array([1.0])).stored == 0
    store.append_start_timestamps(int(ids[0]), [1], [1])
    assert (tmp_path / "log.00000001").stat().st_size == 0
