import base64
from array import array
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from miniprom.testing import Samples, TestingError
from miniprom.testing.samples import samples_on_wire


def on_wire(timestamps: Any, values: Any) -> tuple[Any, list[float]]:
    wire = samples_on_wire(Samples({"__name__": "x"}, timestamps, values))
    assert wire["labels"] == {"__name__": "x"}
    times = wire.get("timestamps")
    if times is None:
        times = np.frombuffer(base64.b64decode(wire["timestamps_b64"]), "<i8").tolist()
    return times, np.frombuffer(base64.b64decode(wire["values_b64"]), "<f8").tolist()


def test_lists_keep_their_times_as_they_are() -> None:
    moment = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert on_wire([0.5, "-1m", moment], [1, 2.5, float("inf")]) == (
        [0.5, "-1m", 1.0],
        [1, 2.5, float("inf")],
    )


def test_numpy_times_in_seconds_become_milliseconds() -> None:
    assert on_wire(np.array([1.0, 2.5]), np.array([1, 2], dtype=np.float32)) == ([1000, 2500], [1, 2])


def test_whole_numpy_times_are_seconds_too() -> None:
    assert on_wire(np.array([1, 2]), np.array([1, 2])) == ([1000, 2000], [1, 2])


def test_datetime64_becomes_milliseconds() -> None:
    times = np.array(["1970-01-01T00:00:01", "1970-01-01T00:00:02.5"], dtype="datetime64[ns]")
    assert on_wire(times, [1, 2]) == ([1000, 2500], [1, 2])


def test_a_column_is_taken_as_the_array_that_it_holds() -> None:
    class Column:
        def to_numpy(self) -> Any:
            return np.array([1.0, 2.0])

    assert on_wire(Column(), Column()) == ([1000, 2000], [1, 2])


def test_an_array_of_the_standard_library_is_taken_whole() -> None:
    assert on_wire([1], array("d", [2.5])) == ([1], [2.5])


def test_the_bits_of_a_nan_are_kept() -> None:
    stale = np.array([0x7FF0000000000002], dtype="<u8").view("<f8")
    wire = samples_on_wire(Samples({"__name__": "x"}, np.array([1]), stale))
    assert base64.b64decode(wire["values_b64"]) == stale.tobytes()


def test_times_of_another_kind_are_refused() -> None:
    with pytest.raises(TestingError, match=r"^timestamps of dtype bool; expected numbers or datetime64$"):
        on_wire(np.array([True]), [1])
