"""A store on disk against a dictionary: appends, kills, checkpoints, deletions, imports, time."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.tsdb.logging_to import FaultyDisk
from tests.tsdb.reading import Samples, everything, samples_of
from tsdb import Matcher, MatchOp, labels_from
from tsdb.rewriting import delete, insert
from tsdb.wal_store import LoggedStore

RETENTION_MS = 40
SERIES = [labels_from({"__name__": "m", "i": str(number)}) for number in range(5)]
members = st.integers(0, len(SERIES) - 1)
bits = st.sampled_from([0, 1 << 63, 0x3FF0_0000_0000_0000, 0x4000_0000_0000_0000, 0x7FF0_0000_0000_0002])


class LoggedStoreMachine(RuleBasedStateMachine):
    """Invariant: the store holds what the model holds, also each time it was killed and loaded again."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.disk = FaultyDisk()
        self.now_ms = 1000
        self.oldest_ms = self.now_ms - RETENTION_MS
        self.model: dict[int, dict[int, int]] = {member: {} for member in range(len(SERIES))}
        self.load()

    def teardown(self) -> None:
        if self.store.log:
            self.store.log.close()
        shutil.rmtree(self.folder)

    def load(self) -> None:
        self.store = LoggedStore(retention_ms=RETENTION_MS)
        assert not self.store.open(self.disk, self.folder, self.now_ms).problems
        self.oldest_ms = max(self.oldest_ms, self.now_ms - RETENTION_MS)
        self.expire_model()

    def expire_model(self) -> None:
        for member, samples in self.model.items():
            self.model[member] = {time: value for time, value in samples.items() if time >= self.oldest_ms}

    @rule(chosen=st.dictionaries(members, bits, min_size=1), later_ms=st.integers(-2, 6))
    def append_row(self, chosen: dict[int, int], later_ms: int) -> None:
        time_ms = self.now_ms + later_ms
        self.now_ms = max(self.now_ms, time_ms)
        ids = self.store.series_ids([SERIES[member] for member in chosen])
        self.store.append(ids, time_ms, np.array(list(chosen.values()), dtype=np.uint64).view(np.float64))
        for member, value in chosen.items():
            if time_ms > max(self.model[member], default=self.oldest_ms - 1):
                self.model[member][time_ms] = value

    @rule(by_ms=st.integers(1, 30))
    def pass_time(self, by_ms: int) -> None:
        self.now_ms += by_ms
        self.store.expire(self.now_ms)
        self.oldest_ms = self.now_ms - RETENTION_MS
        self.expire_model()

    @rule(member=members, start=st.integers(0, 40), length=st.integers(0, 20))
    def delete_range(self, member: int, start: int, length: int) -> None:
        start_ms = self.now_ms - start
        end_ms = start_ms + length
        matcher = Matcher("i", MatchOp.EQUAL, str(member))
        delete(self.store, [matcher], start_ms, end_ms, self.now_ms)
        kept = {t: v for t, v in self.model[member].items() if not start_ms <= t <= end_ms}
        self.model[member] = kept
        self.checkpoint()

    @rule(member=members, ages=st.lists(st.integers(0, 50), min_size=1, max_size=4), value=bits)
    def import_points(self, member: int, ages: list[int], value: int) -> None:
        times_ms = np.array([self.now_ms - age for age in ages], dtype=np.int64)
        values = np.full(len(ages), value, dtype=np.uint64).view(np.float64)
        insert(self.store, {SERIES[member]: (times_ms, values)}, self.now_ms)
        for time_ms in times_ms.tolist():
            if time_ms >= self.now_ms - RETENTION_MS:
                self.model[member].setdefault(time_ms, value)
        self.checkpoint()

    @rule()
    def checkpoint(self) -> None:
        assert self.store.log
        self.store.log.finish(self.store.log.begin(self.store, self.now_ms))

    @rule(room=st.integers(0, 60), chosen=st.dictionaries(members, bits, min_size=1))
    def fill_the_disk_then_mend(self, room: int, chosen: dict[int, int]) -> None:
        self.disk.room = room
        self.append_row(chosen, 1)
        self.disk.room = 1 << 40
        self.checkpoint()

    @rule()
    def kill_and_load(self) -> None:
        assert self.store.log
        self.store.log.close()
        self.load()

    @invariant()
    def the_store_holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "store"):
            return
        expected: Samples = {
            SERIES[member]: sorted((t, v) for t, v in samples.items() if t >= self.now_ms - RETENTION_MS)
            for member, samples in self.model.items()
        }
        found = samples_of(everything(self.store.snapshot(self.now_ms)))
        assert found == {labels: samples for labels, samples in expected.items() if samples}


TestLoggedStore = LoggedStoreMachine.TestCase
TestLoggedStore.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
