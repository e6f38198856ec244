"""What the plugin says of tests that fail: they are run by a pytest within this one, on its server."""

import pytest

from tests.testing.conftest import Shared

pytest_plugins = ["pytester"]


def test_a_wrong_argument_of_the_marker_is_named(
    pytester: pytest.Pytester, alone: tuple[str, ...], shared: Shared
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.prometheus(loads="x 5")
        def test_it(prometheus): ...
        """
    )
    result = pytester.runpytest(*alone, plugins=[shared])
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["E *the marker prometheus takes the keywords strict, start and load, not (loads)"]
    )


def test_a_failure_tells_what_was_asked_and_why_answers_were_empty(
    pytester: pytest.Pytester, alone: tuple[str, ...], shared: Shared
) -> None:
    pytester.makepyfile(
        """
        from urllib.request import urlopen

        def test_it(prometheus):
            prometheus.load({"http_requests_total": "0+10x60"})
            urlopen(prometheus.url + "/api/v1/query?query=sum(http_request_total)").close()
            assert prometheus.query("http_requests_total").scalar() == 1
        """
    )
    result = pytester.runpytest(*alone, plugins=[shared])
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E * assert 600.0 == 1",
            "*- what http://127.0.0.1:* was asked -*",
            "#* GET /api/v1/query 200, vector of 0 series, * ms",
            "    sum(http_request_total)",
            "    empty: *http_requests_total*",
            "#* POST /api/v1/query 200, vector of 1 series, * ms",
            "    http_requests_total",
        ]
    )


def test_a_failure_in_the_client_is_shown_where_the_test_asked(
    pytester: pytest.Pytester, alone: tuple[str, ...], shared: Shared
) -> None:
    pytester.makepyfile(
        """
        def test_it(prometheus):
            prometheus.load({"x": 1})
            prometheus.query("y").scalar()
        """
    )
    result = pytester.runpytest(*alone, plugins=[shared])
    result.stdout.fnmatch_lines(
        ['>       prometheus.query("y").scalar()', "E *one number was asked of 0 series"]
    )
    result.stdout.no_fnmatch_line("*results.py*")


STRICT = """
    import pytest
    from urllib.error import HTTPError
    from urllib.request import urlopen

    def ask(prometheus, query):
        try:
            urlopen(f"{prometheus.url}/api/v1/query?query={query}").close()
        except HTTPError as error:
            error.close()

    def test_unknown_metric(prometheus):
        prometheus.load("http_requests_total 1")
        ask(prometheus, "http_request_total")

    def test_unnoticed_error(prometheus):
        ask(prometheus, "sum(")

    def test_noticed_error(prometheus):
        with prometheus.expect_error(status=400, match="unclosed left parenthesis"):
            ask(prometheus, "sum(")

    def test_injected_error(prometheus):
        with prometheus.failing(status=503):
            ask(prometheus, "vector(1)")

    def test_metric_that_is_away_on_purpose(prometheus):
        prometheus.expect_unknown("gone")
        ask(prometheus, "gone")

    def test_error_that_the_test_itself_met(prometheus):
        with pytest.raises(Exception):
            prometheus.query("sum(")

    def test_nothing_wrong(prometheus):
        prometheus.load("x 1")
        ask(prometheus, "x")

    @pytest.mark.prometheus(strict=False)
    def test_not_strict(prometheus):
        ask(prometheus, "sum(")
"""


def test_strict_mode_fails_for_what_went_unnoticed(
    pytester: pytest.Pytester, alone: tuple[str, ...], shared: Shared
) -> None:
    pytester.makeini("[pytest]\nprometheus_strict = true")
    pytester.makepyfile(STRICT)
    result = pytester.runpytest(*alone, "-rf", plugins=[shared])
    result.assert_outcomes(passed=6, failed=2)
    result.stdout.fnmatch_lines(
        [
            "strict: a query for http_request_total, never loaded or scraped",
            "strict: an error that no fault caused and no `expect_error` expects",
            "FAILED *::test_unknown_metric*",
            "FAILED *::test_unnoticed_error*",
        ]
    )


def test_an_expected_error_that_does_not_come_is_a_failure(
    pytester: pytest.Pytester, alone: tuple[str, ...], shared: Shared
) -> None:
    pytester.makepyfile(
        """
        def test_it(prometheus):
            with prometheus.expect_error(status=422):
                prometheus.query("vector(1)")
        """
    )
    result = pytester.runpytest(*alone, plugins=[shared])
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *no request failed as expected (status 422, match None)"])


@pytest.mark.parametrize(
    ("module", "freeze"),
    [("freezegun", "freeze_time('2020-01-01')"), ("time_machine", "travel('2020-01-01', tick=False)")],
)
def test_the_clock_of_a_frozen_test_begins_where_it_is_frozen(
    pytester: pytest.Pytester, alone: tuple[str, ...], shared: Shared, module: str, freeze: str
) -> None:
    pytester.makepyfile(
        f"""
        import pytest, time, {module}

        @pytest.fixture
        def frozen():
            with {module}.{freeze}:
                yield

        def test_it(frozen, prometheus):
            assert prometheus.now() == time.time() == 1577836800
        """
    )
    pytester.runpytest(*alone, plugins=[shared]).assert_outcomes(passed=1)


def test_without_a_real_server_what_needs_one_is_skipped(
    pytester: pytest.Pytester, alone: tuple[str, ...]
) -> None:
    pytester.makepyfile("def test_it(prometheus_external): ...")
    result = pytester.runpytest(*alone, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*needs a real server: --prometheus-url"])
