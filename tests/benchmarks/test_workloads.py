"""Every benchmark runs, small and untimed: its own assertions check its results."""

import pytest

from benchmarks.data import counters
from benchmarks.micro import workloads

WORKLOADS = workloads(series=240, rows=30)


@pytest.mark.parametrize("position", range(len(WORKLOADS)), ids=[workload.name for workload in WORKLOADS])
def test_workload_runs(position: int) -> None:
    WORKLOADS[position].run()


def test_equal_seeds_give_equal_data() -> None:
    one, other = (counters(20, end_ms=600_000, rows=10, interval_ms=15_000, seed=3) for _ in range(2))
    assert (one.values == other.values).all()
