"""Where stale markers must be, and what is asked of a server."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from miniprom.errors import MinipromError
from miniprom.recording.capture import Capture, stale_markers
from miniprom.recording.record import Wanted, lookback_of, record
from query import Engine, QueryWindow
from tsdb.sample import is_stale

LOOKBACK_MS = 300_000


def markers(samples: list[int], shown: list[int], missing: list[int]) -> list[int]:
    times_ms, shown_ms, missing_ms = (np.array(each, dtype=np.int64) for each in (samples, shown, missing))
    found: list[int] = stale_markers(times_ms, shown_ms, missing_ms, LOOKBACK_MS).tolist()
    return found


def test_series_that_is_always_shown_has_no_marker() -> None:
    assert markers([0, 15_000], [0, 15_000], []) == []


def test_marker_stands_after_the_sample_that_is_no_longer_shown() -> None:
    assert markers([0, 15_000], [], [20_000]) == [15_001]


def test_marker_stands_after_the_last_time_that_the_sample_was_shown() -> None:
    assert markers([0, 15_000], [16_000, 18_000], [20_000, 22_000]) == [18_001]


def test_sample_older_than_the_lookback_needs_no_marker() -> None:
    assert markers([0], [], [300_000]) == []
    assert markers([0], [], [299_999]) == [1]


def test_series_that_begins_later_needs_no_marker() -> None:
    assert markers([60_000], [60_000], [30_000]) == []


def test_series_that_comes_back_has_a_marker_in_each_gap() -> None:
    assert markers([0, 60_000], [0, 60_000], [30_000, 90_000]) == [1, 60_001]


class Server:
    """Answers by the endpoint, and remembers what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def __call__(self, endpoint: str, parameters: Mapping[str, str]) -> Any:
        self.asked.append((endpoint, parameters))
        if endpoint not in self.answers:
            raise MinipromError(f"no {endpoint}")
        return self.answers[endpoint]


EMPTY = {"resultType": "vector", "result": []}


def test_long_ranges_are_asked_for_in_slices() -> None:
    server = Server(query=EMPTY)
    (read,) = Engine().reads("rate(x[90m])", QueryWindow(5_400_000, 5_400_000, 0))
    assert Capture(server, LOOKBACK_MS).read(read) == 0
    assert [parameters for _, parameters in server.asked] == [
        {"query": '{__name__="x"}[3600000ms]', "time": "3600.000"},
        {"query": '{__name__="x"}[1800000ms]', "time": "5400.000"},
    ]


def test_samples_that_two_slices_give_are_kept_once() -> None:
    series = {"metric": {"__name__": "x"}, "values": [[3600, "1"], [3601.5, "NaN"]]}
    server = Server(query={"resultType": "matrix", "result": [series]})
    (read,) = Engine().reads("rate(x[90m])", QueryWindow(5_400_000, 5_400_000, 0))
    capture = Capture(server, LOOKBACK_MS)
    capture.read(read)
    ((times_ms, values),) = capture.samples().values()
    assert times_ms.tolist() == [3_600_000, 3_601_500]
    assert not is_stale(values).any()


def test_native_histograms_are_counted_and_left_out() -> None:
    series = {"metric": {"__name__": "x"}, "histograms": [[1, {"count": "1", "sum": "1", "buckets": []}]]}
    server = Server(query={"resultType": "matrix", "result": [series]})
    recorded = record(server, "http://x", [Wanted("rate(x[5m])", QueryWindow(60_000, 60_000, 0))])
    assert recorded.left_out == 1
    assert not recorded.recording.samples


def test_time_of_the_recording_is_the_latest_that_was_asked_about() -> None:
    windows = [QueryWindow(60_000, 60_000, 0), QueryWindow(0, 90_000, 30_000)]
    server = Server(query=EMPTY, query_range={"resultType": "matrix", "result": []})
    wanted = [Wanted("1", window) for window in windows]
    assert record(server, "http://x", wanted).recording.now_ms == 90_000


@pytest.mark.parametrize(
    ("flags", "expected"),
    [({"query.lookback-delta": "1m"}, 60_000), ({}, 300_000), (None, 300_000), ([], 300_000)],
)
def test_lookback_is_that_of_the_server_if_it_tells(flags: Any, expected: int) -> None:
    server = Server() if flags is None else Server(**{"status/flags": flags})
    assert lookback_of(server) == expected
