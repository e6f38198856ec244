"""The client against a fake: that each method does there what it says."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Gauge

from miniprom.testing import (
    FakePrometheus,
    QueryError,
    RefusedError,
    Samples,
    TestingError,
    UnreachableError,
    counter,
    exponential,
    flapping,
    histogram,
    lognormal,
    noise,
    normal,
    outage,
    ramp,
    sine,
    uniform,
)
from miniprom.testing.generators import Distribution, Generator


def ask(prometheus: FakePrometheus, query: str, endpoint: str = "query?") -> bytes:
    """As code under test does; raises as urllib does."""
    try:
        with urlopen(f"{prometheus.url}/api/v1/{endpoint}query={quote(query)}", timeout=5) as answer:
            body: bytes = answer.read()
            return body
    except HTTPError as error:
        with error:
            raise


def test_values_end_now_unless_a_start_or_an_end_is_given(prometheus: FakePrometheus) -> None:
    now = prometheus.now()
    loaded = prometheus.load({"x": "1 2 3"}, interval="1m")
    assert (loaded.series, loaded.samples, loaded.start, loaded.end) == (1, 3, now - 120, now)
    assert prometheus.load({"y": [1, None, 3]}, start="-1h").start == now - 3600
    assert prometheus.load({"z": [1, float("inf")]}, end=now + 60).end == now + 60
    assert prometheus.query("z", at="+1m").scalar() == float("inf")


def test_lines_of_notation_are_taken_too(prometheus: FakePrometheus) -> None:
    prometheus.load(
        """
        requests_total{code="200", path="/a b}"}  0+10x60
        requests_total{code="500"}  7
        {"quoted.name"}  1
        """
    )
    assert prometheus.query("requests_total").by("code") == {"200": 600, "500": 7}
    assert prometheus.query('{"quoted.name"}').scalar() == 1


@pytest.mark.parametrize("text", ["x", 'x{a="b"}', "x 1\nx 2"])
def test_a_line_without_values_or_given_twice_is_named(prometheus: FakePrometheus, text: str) -> None:
    with pytest.raises(TestingError, match=text.splitlines()[-1]):
        prometheus.load(text)


def test_a_template_stands_for_many_series(prometheus: FakePrometheus) -> None:
    assert prometheus.load({'up{pod="p-{i}"}': "{i}+1x2"}, count=100).series == 100
    assert prometheus.query("count(up)").scalar() == 100
    assert prometheus.query('up{pod="p-7"}').scalar() == 9


def test_a_fault_of_notation_is_refused_and_nothing_is_loaded(prometheus: FakePrometheus) -> None:
    with pytest.raises(RefusedError, match="y"):
        prometheus.load({"x": "1", "y": "1+"})
    assert not prometheus.query("x")


@pytest.mark.parametrize(
    "generator",
    [
        ramp(0, 10),
        ramp(per_second=2),
        sine("10m", mean=5, phase="1m"),
        noise(0.1, seed=3, over=sine("1h")),
        counter(5, reset_every="1h", resets=["-30m"]),
        counter(sine("10m", mean=50)),
        outage(ramp(0, 10), "-1h", "-30m"),
        flapping("5m", "1m", over=1),
    ],
    ids=lambda generator: generator.name,
)
def test_a_generator_fills_two_hours(prometheus: FakePrometheus, generator: Generator) -> None:
    loaded = prometheus.load({"x": generator})
    assert loaded.series == 1
    assert (loaded.start, loaded.end) == (prometheus.now() - 7200, prometheus.now())


@pytest.mark.parametrize(
    "distribution",
    [normal(1, 0.1), lognormal(1, 0.5), uniform(0, 2), exponential(1)],
    ids=lambda distribution: distribution.name,
)
def test_a_histogram_may_be_classic_or_native(prometheus: FakePrometheus, distribution: Distribution) -> None:
    prometheus.load(
        {
            "classic": histogram(distribution, per_second=100, buckets=[0.5, 1, 2]),
            "native": histogram(distribution, per_second=100, native=True, schema=2),
        }
    )
    assert prometheus.query("increase(classic_count[1h])").scalar() == pytest.approx(360_000)
    assert prometheus.query("histogram_count(increase(native[1h]))").scalar() == pytest.approx(360_000)
    assert len(prometheus.query("native").series()[0].histograms) == 1


def test_pages_have_the_times_they_say_or_now(prometheus: FakePrometheus) -> None:
    now = prometheus.now()
    assert prometheus.load_openmetrics("x 1\n").end == now
    assert prometheus.load_openmetrics("y 1\n", at="-1m").end == now - 60


def test_values_are_numbers_of_any_type(prometheus: FakePrometheus) -> None:
    prometheus.load({"whole": np.arange(3), "exact": Decimal("1.5"), "lost": [np.nan, 2, np.inf]})
    assert prometheus.query("whole").scalar() == 2
    assert prometheus.query("exact").scalar() == 1.5
    assert prometheus.query("lost").scalar() == np.inf


def test_a_value_that_is_no_number_is_named(prometheus: FakePrometheus) -> None:
    with pytest.raises(TestingError, match="'x' is no value of a sample; expected a number"):
        prometheus.load({"a": ["x"]})  # type: ignore[list-item]


def test_a_tenant_is_a_server_of_its_own(prometheus: FakePrometheus) -> None:
    tenant = prometheus.tenant("other")
    tenant.reset()
    tenant.load({"x": 1})
    assert not prometheus.query("x")
    assert prometheus.tenant("other").query("x").scalar() == 1


def test_samples_come_from_lists_and_arrays(prometheus: FakePrometheus) -> None:
    now = prometheus.now()
    prometheus.load_samples(
        Samples({"__name__": "x", "from": "list"}, ["-1m", now], [1, 2]),
        Samples({"__name__": "x", "from": "array"}, np.array([now - 60, now]), np.array([3.0, 4.0])),
    )
    assert prometheus.query("x").by("from") == {"list": 2, "array": 4}
    assert prometheus.query("x offset 1m").by("from") == {"list": 1, "array": 3}


def test_a_script_is_loaded_from_time_zero(prometheus: FakePrometheus) -> None:
    assert prometheus.load_script("load 1m\n  x 1 2 3\n").series == 1


def test_an_answer_of_a_server_is_loaded_again(prometheus: FakePrometheus) -> None:
    prometheus.load({'x{a="b"}': "1 2 3"})
    answer = ask(prometheus, "x * 2")
    prometheus.reset(prometheus.now())
    prometheus.load_response(answer, metric="doubled")
    assert prometheus.query("doubled").by("a") == {"b": 6}


def test_answers_know_why_they_are_empty(prometheus: FakePrometheus) -> None:
    prometheus.load("requests_total 1")
    assert "requests_total" in repr(prometheus.query("request_total"))


def test_a_range_reaches_from_start_to_now(prometheus: FakePrometheus) -> None:
    prometheus.load({"x": "1 2 3"})
    found = prometheus.query_range("x", "-30s")
    assert found.series()[0].values == [1, 2, 3]
    assert found.series()[0].timestamps[-1] == prometheus.now()


def test_an_error_of_the_api_has_its_parts(prometheus: FakePrometheus) -> None:
    with pytest.raises(QueryError, match=r"400 bad_data: (?s:.*)query: sum\(") as error:
        prometheus.query("sum(")
    assert (error.value.status, error.value.error_type) == (400, "bad_data")


def test_other_endpoints_can_be_asked(prometheus: FakePrometheus) -> None:
    prometheus.load('x{a="b"} 1')
    assert prometheus.api("label/a/values") == ["b"]
    assert prometheus.api("series", {"match[]": ["x", "y"]}) == [{"__name__": "x", "a": "b"}]


def test_the_clock_lets_series_grow_stale(prometheus: FakePrometheus) -> None:
    prometheus.load("x 1")
    prometheus.clock.advance("5m")
    assert not prometheus.query("x")
    assert prometheus.query("x", at="-1s")


def test_the_clock_goes_back_by_force_alone(prometheus: FakePrometheus) -> None:
    prometheus.load("x 1")
    with pytest.raises(RefusedError, match="back"):
        prometheus.clock.set("-1h")
    now = prometheus.now()
    assert prometheus.clock.set("-1h", force=True) == now - 3600


RULES = """
groups:
  - name: alerts
    rules:
      - record: doubled
        expr: x * 2
      - alert: Down
        expr: x == 0
        for: 5m
"""


def test_rules_are_evaluated_as_the_clock_advances(prometheus: FakePrometheus) -> None:
    prometheus.configure("global: {evaluation_interval: 1m}\nrule_files: [alerts.yml]", {"alerts.yml": RULES})
    prometheus.load({"x": "0x60"}, start="now", interval="1m")
    prometheus.clock.advance("2m")
    assert prometheus.query("doubled").scalar() == 0
    assert [alert["state"] for alert in prometheus.alerts()] == ["pending"]
    prometheus.clock.advance("10m")
    assert [alert["state"] for alert in prometheus.alerts()] == ["firing"]
    assert {rule["name"] for rule in prometheus.rules()} == {"doubled", "Down"}


def test_a_registry_is_scraped_at_once(prometheus: FakePrometheus) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("jobs", "Waiting.", ["queue"], registry=registry)
    gauge.labels("a").set(3)
    assert prometheus.scrape(registry, job="worker", instance="w:1", labels={"zone": "z"})
    found = prometheus.query("jobs")[{"queue": "a", "job": "worker", "instance": "w:1", "zone": "z"}]
    assert found == 3
    assert prometheus.query("up").scalar() == 1


def test_what_vanishes_from_a_scraped_page_is_stale(prometheus: FakePrometheus) -> None:
    prometheus.scrape("a 1\nb 1\n")
    prometheus.clock.advance("15s")
    prometheus.scrape("a 1\n")
    assert prometheus.query("a")
    assert not prometheus.query("b")


def test_an_app_that_fails_is_down(prometheus: FakePrometheus) -> None:
    def app(environ: object, start_response: object) -> list[bytes]:
        assert callable(start_response)
        start_response("500 Internal Server Error", [])
        return [b""]

    assert not prometheus.scrape(app)
    assert prometheus.query("up").scalar() == 0


def test_a_page_with_a_fault_is_down_and_says_why(prometheus: FakePrometheus) -> None:
    scraped = prometheus.scrape("a 1\nb two\n")
    assert not scraped
    assert "line 2" in str(scraped.error)


def test_a_target_that_a_fault_takes_down_is_down(prometheus: FakePrometheus) -> None:
    with prometheus.target_down():
        assert not prometheus.scrape("a 1\n")


def test_a_snapshot_can_be_come_back_to(prometheus: FakePrometheus) -> None:
    prometheus.load("x 1")
    now = prometheus.now()
    before = prometheus.snapshot()
    prometheus.load("y 1")
    prometheus.clock.advance("1h")
    for _ in range(2):
        prometheus.restore(before)
        assert prometheus.now() == now
        assert prometheus.query("x")
        assert not prometheus.query("y")


def test_a_failing_server_answers_with_an_error(prometheus: FakePrometheus) -> None:
    with prometheus.failing(status=503, error_type="unavailable", error="overloaded"):
        with pytest.raises(HTTPError) as error:
            ask(prometheus, "vector(1)")
        assert error.value.code == 503
    assert ask(prometheus, "vector(1)")


def test_a_fault_meets_the_requests_that_it_is_told(prometheus: FakePrometheus) -> None:
    prometheus.failing(query="sum(x{a='1', b='2'})")
    prometheus.failing(path="/api/v1/query_range")
    prometheus.failing(query_matches="vector.2.", times=1, after=1)
    assert ask(prometheus, "sum(y)")
    with pytest.raises(HTTPError):
        ask(prometheus, 'sum(x{b="2",a="1"})')
    with pytest.raises(HTTPError):
        ask(prometheus, "x", "query_range?start=0&end=1&step=1&")
    outcomes = []
    for _ in range(3):
        try:
            ask(prometheus, "vector(2)")
            outcomes.append(200)
        except HTTPError as error:
            outcomes.append(error.code)
    assert outcomes == [200, 503, 200]


def test_a_refusing_server_really_refuses_and_comes_back(prometheus: FakePrometheus) -> None:
    with prometheus.refusing():
        with pytest.raises(URLError, match="refused"):
            ask(prometheus, "vector(1)")
        prometheus.load("x 1")
    assert ask(prometheus, "x")


def test_each_way_to_break_an_answer(prometheus: FakePrometheus) -> None:
    prometheus.load("x 5")
    for begin in (prometheus.truncating, prometheus.malformed, prometheus.resetting):
        with begin(), pytest.raises(UnreachableError):
            prometheus.query("x")
    with prometheus.empty():
        assert not prometheus.query("x")
    with prometheus.nan():
        assert prometheus.query("x").scalar() == pytest.approx(float("nan"), nan_ok=True)
    with prometheus.extra_series({"a": "more"}, 7):
        assert prometheus.query("x").by("a") == {"": 5, "more": 7}
    with prometheus.warning("odd", infos=["even"]):
        result = prometheus.query("x")
        assert (result.warnings, result.infos) == (("odd",), ("even",))
    assert prometheus.query("x").scalar() == 5


def test_a_slow_or_hanging_server_is_given_up(prometheus: FakePrometheus) -> None:
    impatient = FakePrometheus(prometheus.url, timeout=0.2)
    with impatient:
        with prometheus.slow("10s"), pytest.raises(UnreachableError, match="timed out"):
            impatient.query("vector(1)")
        with prometheus.hanging(), pytest.raises(UnreachableError, match="timed out"):
            impatient.query("vector(1)")
        with prometheus.slow({"distribution": "uniform", "low": 0.01, "high": 0.02, "seed": 1}):
            assert impatient.query("vector(1)")


def test_the_code_under_test_is_seen_apart_from_the_test(prometheus: FakePrometheus) -> None:
    prometheus.load("x 1")
    prometheus.query("x")
    ask(prometheus, "sum(x)")
    assert prometheus.queries == ["sum(x)"]
    (request,) = prometheus.requests
    assert (request.method, request.path, request.status) == ("GET", "/api/v1/query", 200)
    assert (request.kind, request.result_type, request.series) == ("instant", "vector", 1)
    assert json.loads(request.response)["status"] == "success"
    assert not request.empty


def test_a_query_is_known_in_any_spelling(prometheus: FakePrometheus) -> None:
    prometheus.load("x 1")
    ask(prometheus, "sum by(a,b)(rate(x{c='1',d='2'}[300s]))")
    prometheus.assert_queried('sum(rate(x{d="2", c="1"}[5m])) by (b, a)')
    prometheus.assert_queried('sum(rate(x{d="2", c="1"}[5m])) by (b, a)', kind="instant", times=1)
    prometheus.assert_not_queried("sum(rate(x[5m]))")


def test_a_query_that_was_not_asked_is_told_with_the_nearest(prometheus: FakePrometheus) -> None:
    ask(prometheus, "sum(rate(x[1m]))")
    with pytest.raises(
        AssertionError, match=r"was never asked: sum\(rate\(x\[5m\]\)\); nearest are\n.*x\[1m\]"
    ):
        prometheus.assert_queried("sum(rate(x[5m]))")
    with pytest.raises(AssertionError, match="was asked 1 times, not 2: "):
        prometheus.assert_queried("sum(rate(x[1m]))", times=2)
    with pytest.raises(AssertionError, match="was asked 1 times"):
        prometheus.assert_not_queried("sum(rate(x[1m]))")


def test_the_tests_own_queries_are_not_taken_for_those_of_the_code(prometheus: FakePrometheus) -> None:
    prometheus.query("vector(1)")
    prometheus.assert_not_queried("vector(1)")


def test_a_recording_is_replayed_up_to_now(prometheus: FakePrometheus, tmp_path: Path) -> None:
    series = {"labels": {"__name__": "x"}, "timestamps": [1000, 16000], "values": [1, 2]}
    recording = {
        "format": "miniprom recording", "version": 1, "server": "", "now": 16000,
        "series": [series], "answers": [],
    }  # fmt: skip
    file = tmp_path / "recording.json.gz"
    file.write_bytes(gzip.compress(json.dumps(recording).encode()))
    assert prometheus.load_recording(file).end == prometheus.now()
    assert prometheus.query("x").scalar() == 2
    assert prometheus.load_recording(file, move_to=None).end == 16
