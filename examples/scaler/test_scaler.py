import pytest

from miniprom.testing import FakePrometheus, ramp
from scaler import Scaler, ScalerError

WAITING = 'sum(queue_messages{queue="%s"})'


def test_replicas_follow_the_queue(prometheus: FakePrometheus) -> None:
    prometheus.load(
        {'queue_messages{queue="orders", shard="a"}': 120, 'queue_messages{queue="orders", shard="b"}': 35}
    )
    scaler = Scaler(prometheus.url, WAITING % "orders", threshold=50)
    assert scaler.value() == 155
    assert scaler.poll() == 4


@pytest.mark.parametrize(("waiting", "replicas"), [(0, 0), (5, 0), (6, 1), (100, 1), (101, 2), (5000, 10)])
def test_bounds(prometheus: FakePrometheus, waiting: int, replicas: int) -> None:
    queue = f"bounds-{waiting}"
    prometheus.load({f'queue_messages{{queue="{queue}"}}': waiting})
    assert Scaler(prometheus.url, WAITING % queue, threshold=100, activation=5).poll() == replicas


def test_no_series_counts_as_nothing_to_do(prometheus: FakePrometheus) -> None:
    assert Scaler(prometheus.url, WAITING % "absent", threshold=50, least=2).poll() == 2


def test_no_series_is_an_error_where_that_matters(prometheus: FakePrometheus) -> None:
    scaler = Scaler(prometheus.url, WAITING % "absent", threshold=50, ignore_null_values=False)
    with pytest.raises(ScalerError, match="gives no number"):
        scaler.value()


def test_several_series_are_an_error(prometheus: FakePrometheus) -> None:
    prometheus.load({'queue_messages{queue="many", shard="{i}"}': 1}, count=3)
    with pytest.raises(ScalerError, match="3 series"):
        Scaler(prometheus.url, 'queue_messages{queue="many"}', threshold=1).value()


def test_replicas_grow_with_the_queue(prometheus: FakePrometheus) -> None:
    prometheus.load({'queue_messages{queue="growing"}': ramp(0, 400)}, start="-20m", end="now")
    waiting = prometheus.query_range(WAITING % "growing", "-20m", step="5m").series()[0]
    assert waiting.values == pytest.approx([0, 100, 200, 300, 400])
    assert Scaler(prometheus.url, WAITING % "growing", threshold=100).poll() == 4


def test_an_outage_keeps_replicas_and_then_falls_back(prometheus: FakePrometheus) -> None:
    prometheus.load({'queue_messages{queue="outage"}': 500})
    scaler = Scaler(prometheus.url, WAITING % "outage", threshold=100, fallback=6)
    with prometheus.failing(times=3):
        assert [scaler.poll() for _ in range(4)] == [None, None, 6, 5]
