"""Times and durations as tests write them, and as requests carry them.

Nothing here, nor in the rest of the client, reads a clock: a test may have frozen it.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from miniprom.testing.errors import TestingError

Time = float | str | datetime
"""Unix seconds, an RFC 3339 text, a `datetime` (a naive one is in UTC), or relative to now: "-2h", "+10m"."""
Duration = float | str | timedelta
"""Seconds, a Prometheus duration such as "10m" or "1h30m", or a `timedelta`."""

_UNITS_SECONDS: Final = {
    "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0
}  # fmt: skip
_DURATION: Final = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")


def time_on_wire(time: Time) -> float | str:
    """What the control API takes for a time."""
    if isinstance(time, datetime):
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return time


def duration_on_wire(duration: Duration) -> float | str:
    """What the control API takes for a duration."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def unix_seconds(time: Time, now: Callable[[], float]) -> float:
    """The time as a number; `now` is asked for times relative to it. Raises `TestingError`."""
    time = time_on_wire(time)
    if not isinstance(time, str):
        return float(time)
    if time[:1] in {"+", "-"}:
        sign = -1.0 if time[0] == "-" else 1.0
        return now() + sign * seconds_of(time[1:])
    if time == "now":
        return now()
    try:
        return float(time_on_wire(datetime.fromisoformat(time)))
    except ValueError:
        raise TestingError(
            f'"{time}" is no time; expected unix seconds, RFC 3339, or relative to now as in "-2h"'
        ) from None


def seconds_of(duration: Duration) -> float:
    """The duration as a number. Raises `TestingError`."""
    duration = duration_on_wire(duration)
    if not isinstance(duration, str):
        return float(duration)
    if not _DURATION.fullmatch(duration):
        raise TestingError(f'"{duration}" is no duration; expected one such as "10m" or "1h30m"')
    return sum(int(number) * _UNITS_SECONDS[unit] for number, unit in _PART.findall(duration))


def moment(seconds: float) -> str:
    """A time as reports print it: RFC 3339, milliseconds where there are some."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(
        timespec="milliseconds" if round(seconds * 1000) % 1000 else "seconds"
    )
    return text.replace("+00:00", "Z")
