"""What the benchmark of the fake measures works, on the fake and on Prometheus."""

import pytest

from benchmarks.fake import ask_fake, ask_fresh_prometheus, parts
from benchmarks.programs import PROMETHEUS
from miniprom.testing import FakePrometheus


def test_each_part_runs(prometheus: FakePrometheus) -> None:
    for part in parts(prometheus).values():
        part()


def test_whole_test_runs_on_the_fake(prometheus: FakePrometheus) -> None:
    ask_fake(prometheus)


@pytest.mark.peer
@pytest.mark.skipif(not PROMETHEUS.is_installed, reason="prometheus is not installed")
def test_whole_test_runs_on_prometheus() -> None:
    ask_fresh_prometheus()
