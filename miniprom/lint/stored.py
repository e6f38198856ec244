"""The data of this very server."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from miniprom.lint.facts import MetricFacts
from query import Control, Engine, QueryError, RangeMatrix
from tsdb import METRIC_NAME, Matcher, MatchOp, Snapshot

_WINDOW_MS: Final = 3_600_000
_STEP_MS: Final = 15_000


@dataclass(frozen=True)
class StoredData:
    """What a snapshot holds of the last hour. `kinds` are types by family, `intervals_ms` are the jobs'."""

    snapshot: Snapshot
    engine: Engine
    now_ms: int
    retention_ms: int
    kinds: Mapping[str, str]
    intervals_ms: Mapping[str, int]
    control: Control

    def names(self) -> Collection[str]:
        return self.snapshot.label_values(METRIC_NAME, (), self._start_ms, self.now_ms)

    def metric(self, name: str) -> MetricFacts | None:
        matcher = Matcher(METRIC_NAME, MatchOp.EQUAL, name)
        series = tuple(self.snapshot.series(((matcher,),), self._start_ms, self.now_ms).series())
        if not series:
            return None
        kind = self.kinds.get(name) or self.kinds.get(name.removesuffix("_total"), "")
        jobs = {dict(labels).get("job", "") for labels in series}
        return MetricFacts(series, kind, max((self.intervals_ms.get(job, 0) for job in jobs), default=0))

    def flaps(self, query: str) -> int:
        window = (self._start_ms, self.now_ms, _STEP_MS)
        try:
            value = self.engine.range(self.snapshot, query, *window, control=self.control).value
        except QueryError:
            return 0  # the rule's health says so
        if not isinstance(value, RangeMatrix) or value.present is None or not value.present.size:
            return 0
        ends = value.present[:-1] & ~value.present[1:]
        return int(np.max(np.count_nonzero(ends, axis=0)))

    @property
    def _start_ms(self) -> int:
        return self.now_ms - _WINDOW_MS
