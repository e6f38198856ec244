"""The store against a dictionary of lists: what is appended, in any shape, is read back bit for bit."""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.tsdb.reading import everything, samples_of, series
from tsdb import ABSENT, Appended, Labels, Outcome, Snapshot, Store
from tsdb.histogram import FloatHistogram
from tsdb.sample import ABSENT_BITS, STALE_BITS, FloatArray, IntArray

RETENTION_MS = 60
SERIES = series(7)
SCRAPES = ((0, 1, 2), (3, 4), (2, 5, 6))
BITS = [
    0x7FF8000000000000,  # NaN as arithmetic makes it
    0xFFF8000000000123,  # a NaN with a payload
    0x8000000000000000,  # -0.0
    0x7FF0000000000000,  # +Inf
    STALE_BITS,
    *np.array([0.0, 1.0, 1.5, 1e300, 12345.0]).view(np.uint64).tolist(),
]

members = st.integers(0, len(SERIES) - 1)
bits = st.sampled_from(BITS)


class StoreAgainstModel(RuleBasedStateMachine):
    window_ms = 0

    def __init__(self) -> None:
        super().__init__()
        self.patches = [
            patch("tsdb.ring.HEAD_ROWS", 6),
            patch("tsdb.ring.OPEN_ROWS", 2),
            patch("tsdb.ring.BLOCK_ROWS", 12),
            patch("tsdb.ring.NARROW_COLUMNS", 2),
            patch("tsdb.rings.MAX_COLUMNS", 4),
        ]
        for active in self.patches:
            active.start()
        self.model: dict[int, list[tuple[int, int]]] = {i: [] for i in range(len(SERIES))}
        self.histograms: dict[int, list[tuple[int, FloatHistogram]]] = {i: [] for i in range(len(SERIES))}
        self.now_ms = 0
        self.oldest_ms = -(10**18)

    def teardown(self) -> None:
        for active in self.patches:
            active.stop()

    @initialize()
    def start(self) -> None:
        self.store = Store(retention_ms=RETENTION_MS, out_of_order_window_ms=self.window_ms)
        self.kept: list[tuple[Snapshot, dict[Labels, list[Any]]]] = []
        self.arrays: dict[bytes, IntArray] = {}

    def ids(self, members: Iterable[int]) -> IntArray:
        """Resolved anew each time: `expire` reclaims ids. The same array for the same ids."""
        ids = self.store.series_ids([SERIES[member] for member in members])
        ids.flags.writeable = False
        return self.arrays.setdefault(ids.tobytes(), ids)

    def append_to_model(self, member: int, time_ms: int, sample: int | FloatHistogram) -> Outcome:
        kind: dict[int, list[Any]] = self.histograms if isinstance(sample, FloatHistogram) else self.model
        both = [*self.model[member], *self.histograms[member]]
        newest_ms = max((at for at, _ in both), default=-(10**18))
        if time_ms < self.oldest_ms:
            return Outcome.TOO_OLD
        window_ms = 0 if isinstance(sample, FloatHistogram) else self.window_ms
        if time_ms < newest_ms - window_ms:
            return Outcome.OUT_OF_ORDER
        if time_ms == newest_ms or any(at == time_ms for at, _ in both):
            return Outcome.STORED if (time_ms, sample) in kind[member] else Outcome.DUPLICATE
        kind[member].append((time_ms, sample))
        kind[member].sort(key=lambda entry: entry[0])
        return Outcome.STORED

    def compare_outcomes(self, appended: Appended, expected: list[Outcome]) -> None:
        counts = Counter(expected)
        assert appended.stored == counts[Outcome.STORED]
        assert appended.out_of_order == counts[Outcome.OUT_OF_ORDER]
        assert appended.duplicate == counts[Outcome.DUPLICATE]
        assert appended.too_old == counts[Outcome.TOO_OLD]
        if appended.outcomes is None:
            assert set(expected) <= {Outcome.STORED}
        else:
            assert appended.outcomes.ravel().tolist() == expected

    @rule(batch=st.lists(st.tuples(members, bits), max_size=8), later_ms=st.integers(-3, 5))
    def append_row(self, batch: list[tuple[int, int]], later_ms: int) -> None:
        self.now_ms = max(self.now_ms, self.now_ms + later_ms)
        time_ms = self.now_ms + min(later_ms, 0)
        ids = self.ids(member for member, _ in batch)
        appended = self.store.append(ids, time_ms, floats([b for _, b in batch]))
        self.compare_outcomes(appended, [self.append_to_model(m, time_ms, b) for m, b in batch])

    @rule(batch=st.sampled_from(SCRAPES), sample=bits, later_ms=st.integers(1, 5), apart=st.booleans())
    def append_a_scrape(self, batch: tuple[int, ...], sample: int, later_ms: int, apart: bool) -> None:
        ids = self.ids(batch)
        if apart:
            self.store.set_apart(ids)
        self.append_row([(member, sample) for member in batch], later_ms)

    @rule(batch=st.dictionaries(members, st.tuples(st.integers(-3, 6), bits), max_size=7))
    def append_each_at_its_time(self, batch: dict[int, tuple[int, int]]) -> None:
        times_ms = np.array([self.now_ms + later_ms for later_ms, _ in batch.values()], dtype=np.int64)
        appended = self.store.append(self.ids(batch), times_ms, floats([b for _, b in batch.values()]))
        expected = [self.append_to_model(m, self.now_ms + later, b) for m, (later, b) in batch.items()]
        self.compare_outcomes(appended, expected)

    @rule(
        chosen=st.lists(members, unique=True, min_size=1),
        steps_ms=st.lists(st.integers(1, 4), min_size=1, max_size=14),
        start_ms=st.integers(-3, 5),
        gaps=st.integers(0, 4),
        seed=st.integers(0, 1000),
    )
    def append_matrix(
        self, chosen: list[int], steps_ms: list[int], start_ms: int, gaps: int, seed: int
    ) -> None:
        random = np.random.default_rng(seed)
        times_ms = self.now_ms + start_ms + np.cumsum(steps_ms)
        values = floats(random.choice(np.array(BITS, dtype=np.uint64), (len(steps_ms), len(chosen))))
        values[random.random(values.shape) < gaps / 5] = ABSENT
        appended = self.store.append_matrix(self.ids(chosen), times_ms, values)
        expected = []
        for row, time_ms in enumerate(times_ms.tolist()):
            for member, sample in zip(chosen, values[row].view(np.uint64).tolist(), strict=True):
                absent = sample == ABSENT_BITS
                expected.append(None if absent else self.append_to_model(member, time_ms, sample))
        stored = [outcome for outcome in expected if outcome is not None]
        assert appended.stored == stored.count(Outcome.STORED)
        assert appended.out_of_order == stored.count(Outcome.OUT_OF_ORDER)
        self.now_ms = max(self.now_ms, int(times_ms[-1]))

    @rule(member=members, later_ms=st.integers(-2, 4), count=st.integers(0, 2))
    def append_histogram(self, member: int, later_ms: int, count: int) -> None:
        time_ms = self.now_ms + later_ms
        histogram = FloatHistogram(count=count)
        appended = self.store.append_histograms(int(self.ids([member])[0]), [time_ms], [histogram])
        self.compare_outcomes(appended, [self.append_to_model(member, time_ms, histogram)])

    @rule(later_ms=st.integers(0, 40))
    def expire(self, later_ms: int) -> None:
        self.now_ms += later_ms
        self.store.expire(self.now_ms)
        self.oldest_ms = max(self.oldest_ms, self.now_ms - RETENTION_MS)

    @rule(start_ms=st.integers(-80, 5), length_ms=st.integers(0, 90))
    def select(self, start_ms: int, length_ms: int) -> None:
        start_ms += self.now_ms
        end_ms = start_ms + length_ms
        selection = everything(self.store.snapshot(self.now_ms), start_ms, end_ms)
        first_ms = max(start_ms, self.now_ms - RETENTION_MS)
        assert samples_of(selection) == within(self.model, first_ms, end_ms)
        labels = selection.labels.series()
        histograms = {
            labels[found.position]: list(zip(found.timestamps_ms.tolist(), found.histograms, strict=True))
            for found in selection.histograms
        }
        assert histograms == within(self.histograms, first_ms, end_ms)

    @rule()
    def keep_a_snapshot(self) -> None:
        self.kept.append((self.store.snapshot(self.now_ms), self.held()))

    @precondition(lambda self: self.kept)
    @rule(which=st.integers(0, 5))
    def read_a_kept_snapshot(self, which: int) -> None:
        snapshot, expected = self.kept.pop(which % len(self.kept))
        found = samples_of(everything(snapshot))
        for labels, samples in expected.items():
            assert set(samples) <= set(found[labels])

    @rule()
    def only_series_with_samples_are_kept(self) -> None:
        self.store.expire(self.now_ms)
        self.oldest_ms = max(self.oldest_ms, self.now_ms - RETENTION_MS)
        alive = {*self.held(), *within(self.histograms, self.oldest_ms, 10**9)}
        assert self.store.stats().series == len(alive)

    def held(self) -> dict[Labels, list[Any]]:
        return within(self.model, max(self.now_ms - RETENTION_MS, self.oldest_ms), 10**9)


def within(model: dict[int, list[Any]], start_ms: int, end_ms: int) -> dict[Labels, list[Any]]:
    """The model's samples in a range, without the series that have none there."""
    clipped = {
        SERIES[member]: [(at, sample) for at, sample in samples if start_ms <= at <= end_ms]
        for member, samples in model.items()
    }
    return {labels: samples for labels, samples in clipped.items() if samples}


def floats(samples: Any) -> FloatArray:
    return np.array(samples, dtype=np.uint64).view(np.float64)


class StoreWithWindowAgainstModel(StoreAgainstModel):
    window_ms = 4


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreWithWindowAgainstModel = StoreWithWindowAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestStoreWithWindowAgainstModel.settings = TestStoreAgainstModel.settings
