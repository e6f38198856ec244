from datetime import UTC, datetime, timedelta, timezone

import pytest

from miniprom.testing import TestingError
from miniprom.testing.times import (
    Duration,
    Time,
    duration_on_wire,
    moment,
    seconds_of,
    time_on_wire,
    unix_seconds,
)

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (12.5, 12.5),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T23:13:20.250+01:00", NOW + 0.25),
        (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), NOW),
        (datetime(2023, 11, 14, 23, 13, 20, tzinfo=timezone(timedelta(hours=1))), NOW),
        ("now", NOW),
        ("-1h30m", NOW - 5400),
        ("+10m", NOW + 600),
    ],
)
def test_a_time_may_be_absolute_or_relative_to_now(time: Time, seconds: float) -> None:
    assert unix_seconds(time, lambda: NOW) == seconds


def test_a_naive_datetime_is_in_utc() -> None:
    assert time_on_wire(datetime(2023, 11, 14, 22, 13, 20)) == NOW


def test_an_absolute_time_does_not_ask_for_now() -> None:
    def now() -> float:
        raise AssertionError

    assert unix_seconds("1970-01-01T00:00:01Z", now) == 1


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [(15, 15), ("10m", 600), ("1h30m", 5400), ("1d", 86400), ("250ms", 0.25), (timedelta(minutes=2), 120)],
)
def test_a_duration_may_be_a_number_a_text_or_a_timedelta(duration: Duration, seconds: float) -> None:
    assert seconds_of(duration) == seconds


def test_a_timedelta_goes_over_the_wire_as_seconds() -> None:
    assert duration_on_wire(timedelta(minutes=1)) == 60


@pytest.mark.parametrize("text", ["", "10", "m", "10m ", "ten minutes", "1.5h"])
def test_a_bad_duration_is_named(text: str) -> None:
    with pytest.raises(TestingError, match=f'^"{text}" is no duration; expected one such as "10m"'):
        seconds_of(text)


def test_a_bad_time_is_named() -> None:
    with pytest.raises(TestingError, match=r'^"yesterday" is no time; expected unix seconds, RFC 3339'):
        unix_seconds("yesterday", lambda: NOW)


def test_a_moment_shows_milliseconds_only_where_there_are_some() -> None:
    assert (moment(NOW), moment(NOW + 0.25)) == ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20.250Z")
