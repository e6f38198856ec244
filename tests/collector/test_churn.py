"""A target whose series come and go: nothing is left of those that are gone."""

import tracemalloc

from collector.intake import Intake
from tests.collector.scraping import TEXT_TYPE, job, targets_of
from tsdb import Store

MINUTE_MS = 60_000


def test_memory_after_twelve_retentions_of_churn_is_that_after_three() -> None:
    """Each second scrape brings a tenth of the series new, with labels never seen before."""
    config = job()
    store = Store(retention_ms=20 * MINUTE_MS)
    intake = Intake(store, config, targets_of(config)[0])
    generations = [0] * 60
    traced: list[int] = []
    tracemalloc.start()
    try:
        for minute in range(240):
            if minute % 2 == 0:
                tenth = minute // 2 % 10 * 6
                generations[tenth : tenth + 6] = [minute + 1] * 6
            lines = [f'm{{i="{i}",pod="{pod}-{i}"}} {minute}\n' for i, pod in enumerate(generations)]
            intake.commit(intake.read("".join(lines).encode(), TEXT_TYPE), minute * MINUTE_MS, 0.1)
            store.expire(minute * MINUTE_MS)
            if minute % 4 == 0:
                traced.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(traced[45:]) < 1.05 * max(traced[15:30])
