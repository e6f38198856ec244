"""The same tests against a fake and against Debian's Prometheus."""

from collections.abc import Iterator

import numpy as np  # noqa: F401  pytester unloads what its tests import, and numpy can't be loaded twice
import pytest

from benchmarks.programs import PROMETHEUS, running
from tests.testing.conftest import Shared

pytest_plugins = ["pytester"]

TESTS = """
    import json
    from urllib.request import urlopen
    import pytest
    from miniprom.testing import QueryError, Samples, sine

    def test_loaded_series_are_queried(prometheus):
        prometheus.load({'requests_total{code="{i}"}': "0+10x240"}, count=3)
        found = prometheus.query("sum by (code) (rate(requests_total[5m]))")
        assert found.by("code") == pytest.approx({"0": 10 / 15, "1": 10 / 15, "2": 10 / 15}, rel=0.05)
        assert len(prometheus.query_range("requests_total", "-5m", step="1m").series()) == 3

    def test_other_forms_of_loading(prometheus):
        prometheus.load({"wave": sine("10m", mean=5)}, start="-10m")
        prometheus.load_openmetrics('page{a="b"} 7\\n')
        prometheus.load_samples(Samples({"__name__": "single"}, ["-1s"], [3]))
        assert prometheus.query("avg_over_time(wave[10m])").scalar() == pytest.approx(5, abs=0.1)
        assert prometheus.query("page").by("a") == {"b": 7}
        assert prometheus.query("single").scalar() == 3

    def test_code_under_test_asks(prometheus):
        prometheus.load("asked 5")
        with urlopen(prometheus.url + "/api/v1/query?query=asked") as answer:
            assert json.load(answer)["data"]["result"][0]["value"][1] == "5"

    def test_stale_series_are_gone(prometheus):
        prometheus.load({"gone": "1x10 stale"})
        assert not prometheus.query("gone")

    def test_errors(prometheus):
        with pytest.raises(QueryError, match="400 bad_data"):
            prometheus.query("sum(")

    def test_clock(prometheus):
        prometheus.clock.advance("1m")

    def test_journal(prometheus):
        prometheus.assert_not_queried("up")

    def test_fault(prometheus):
        with prometheus.failing():
            pass

    def test_external(prometheus_external):
        assert prometheus_external.query("vector(1)").scalar() == 1
"""


@pytest.fixture
def url() -> Iterator[str]:
    with running(PROMETHEUS, "storage: {tsdb: {out_of_order_time_window: 1d}}\n") as server:
        yield server.url


def test_a_fake_passes(pytester: pytest.Pytester, alone: tuple[str, ...], shared: Shared) -> None:
    pytester.makepyfile(TESTS)
    pytester.runpytest(*alone, plugins=[shared]).assert_outcomes(passed=8, skipped=1)


@pytest.mark.peer
@pytest.mark.skipif(not PROMETHEUS.is_installed, reason="prometheus is not installed")
def test_prometheus_passes_but_for_what_only_a_fake_can(
    pytester: pytest.Pytester, alone: tuple[str, ...], url: str
) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest(*alone, "--prometheus-url", url, "-rs")
    result.assert_outcomes(passed=6, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "SKIPPED *: a real Prometheus has no clock that can be set",
            "SKIPPED *: a real Prometheus keeps no journal",
            "SKIPPED *: a real Prometheus has no faults to order",
        ]
    )


@pytest.mark.peer
@pytest.mark.skipif(not PROMETHEUS.is_installed, reason="prometheus is not installed")
def test_samples_that_it_refuses_are_an_error_that_says_what_it_needs(
    pytester: pytest.Pytester, alone: tuple[str, ...]
) -> None:
    pytester.makepyfile(
        """
        def test_it(prometheus):
            prometheus.load("new 1")
            prometheus.load("old 1", end="-2h")
        """
    )
    with running(PROMETHEUS) as server:
        result = pytester.runpytest(*alone, "--prometheus-url", server.url)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *refused the samples: *", "E *storage.tsdb.out_of_order_time_window*"])
