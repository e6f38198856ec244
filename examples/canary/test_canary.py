import pytest

from canary import Analysis, Verdict, success_rate
from miniprom.testing import FakePrometheus

pytestmark = pytest.mark.prometheus(strict=True)


def analysis(prometheus: FakePrometheus, name: str, *, timeout_seconds: float = 5.0) -> Analysis:
    return Analysis(prometheus.url, success_rate("test", name), timeout_seconds=timeout_seconds)


def load(prometheus: FakePrometheus, name: str, *, good: str = "0+99x20", bad: str = "0+1x20") -> None:
    """Five minutes of requests, so many each 15 seconds."""
    series = 'http_requests_total{namespace="test", pod="%s-7d4b9", code="%s"}'
    prometheus.load({series % (name, "200"): good, series % (name, "500"): bad})


def test_a_good_canary_advances(prometheus: FakePrometheus) -> None:
    load(prometheus, "good")
    assert analysis(prometheus, "good").check() is Verdict.ADVANCE


def test_a_failing_canary_is_halted(prometheus: FakePrometheus) -> None:
    load(prometheus, "failing", good="0+98x20", bad="0+2x20")
    failing = analysis(prometheus, "failing")
    assert failing.check() is Verdict.HALT
    assert failing.reasons == ["98.00 is not within 99.0 and inf"]


def test_a_canary_that_goes_on_failing_is_rolled_back(prometheus: FakePrometheus) -> None:
    load(prometheus, "worse", good="0+99x20 1980x20", bad="0+1x20 20+5x20")
    prometheus.clock.set("-5m", force=True)
    worse = analysis(prometheus, "worse")
    verdicts = []
    for _ in range(5):
        verdicts.append(worse.check())
        prometheus.clock.advance("1m")
    assert verdicts == [Verdict.ADVANCE, Verdict.HALT, Verdict.HALT, Verdict.ROLL_BACK, Verdict.ROLL_BACK]


def test_a_canary_without_requests_is_halted(prometheus: FakePrometheus) -> None:
    load(prometheus, "other")
    silent = analysis(prometheus, "silent")
    assert silent.check() is Verdict.HALT
    assert silent.reasons == ["no values found"]


def test_no_requests_at_all_are_no_values(prometheus: FakePrometheus) -> None:
    load(prometheus, "idle", good="5x20", bad="1x20")  # counters that stand still: 0 / 0 is NaN
    idle = analysis(prometheus, "idle")
    assert idle.check() is Verdict.HALT
    assert idle.reasons == ["no values found"]


def test_a_metric_that_is_not_there_is_no_values(prometheus: FakePrometheus) -> None:
    prometheus.expect_unknown("http_requests_total")  # strict mode would tell of the mistyped name
    unknown = analysis(prometheus, "unknown")
    assert unknown.check() is Verdict.HALT


def test_a_slow_prometheus_halts(prometheus: FakePrometheus) -> None:
    load(prometheus, "patient")
    with prometheus.slow("500ms", path="/api/v1/query"):
        hasty = analysis(prometheus, "patient", timeout_seconds=0.1)
        assert hasty.check() is Verdict.HALT
        assert "timed out" in hasty.reasons[0]
        assert analysis(prometheus, "patient").check() is Verdict.ADVANCE


def test_a_refused_connection_halts_and_the_next_check_goes_on(prometheus: FakePrometheus) -> None:
    load(prometheus, "refused")
    refused = analysis(prometheus, "refused")
    with prometheus.refusing():
        assert refused.check() is Verdict.HALT
        assert "refused" in refused.reasons[0]
    assert refused.check() is Verdict.ADVANCE


@pytest.mark.parametrize("status", [422, 500, 503])
def test_an_error_halts(prometheus: FakePrometheus, status: int) -> None:
    load(prometheus, "broken")
    with prometheus.failing(status=status, error="out of order"):
        broken = analysis(prometheus, "broken")
        assert broken.check() is Verdict.HALT
        assert broken.reasons[0].startswith(f"HTTP {status}")


def test_half_an_answer_halts(prometheus: FakePrometheus) -> None:
    load(prometheus, "half")
    with prometheus.truncating(bytes=30):
        assert analysis(prometheus, "half").check() is Verdict.HALT
    with prometheus.malformed():
        assert analysis(prometheus, "half").check() is Verdict.HALT


def test_it_asks_for_the_canary_alone(prometheus: FakePrometheus) -> None:
    load(prometheus, "asked")
    analysis(prometheus, "asked").check()
    requests = 'http_requests_total{pod=~"asked-.+", namespace="test"%s}'  # the order does not matter
    prometheus.assert_queried(
        f'100 * sum(rate({requests % """, code!~"5.." """}[1m])) / sum(rate({requests % ""}[1m]))', times=1
    )
    assert "time" not in prometheus.requests[0].params
