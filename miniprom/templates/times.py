"""Go's time.Time, always in UTC, and time.Duration."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INT64: Final = range(-(2**63), 2**63)
_SECOND: Final = 1_000_000_000
_DEFAULT_LAYOUT: Final = "2006-01-02 15:04:05.999999999 -0700 MST"


class NamedInt(int):
    """A month or a weekday: printed by its name."""

    def __new__(cls, number: int, name: str) -> "NamedInt":
        made = super().__new__(cls, number)
        made.name = name
        return made

    name: str


@dataclass(frozen=True, order=True)
class Duration:
    """A time span; prints as `1h30m0s`, `1.5s`, `10ms`."""

    nanoseconds: int

    def __str__(self) -> str:
        rest = abs(self.nanoseconds)
        sign = "-" if self.nanoseconds < 0 else ""
        for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
            if rest < size * 1000:
                return f"{sign}{_decimal(rest, size)}{unit}" if rest else "0s"
        hours, rest = divmod(rest, 3600 * _SECOND)
        minutes, rest = divmod(rest, 60 * _SECOND)
        text = f"{_decimal(rest, _SECOND)}s"
        if hours:
            return f"{sign}{hours}h{minutes}m{text}"
        return f"{sign}{minutes}m{text}" if minutes else f"{sign}{text}"


@dataclass(frozen=True, order=True)
class Time:
    """A point in time, between the years 1678 and 2262."""

    nanoseconds: int

    def __str__(self) -> str:
        return self.format(_DEFAULT_LAYOUT)

    @property
    def parts(self) -> datetime:
        """The calendar's view, to the microsecond."""
        return _EPOCH + timedelta(microseconds=self.nanoseconds // 1000)

    def format(self, layout: str) -> str:
        """The time as a layout shows Go's reference time."""
        return _ELEMENT.sub(lambda match: self._element(match[0]), layout)

    def plus(self, duration: Duration) -> "Time":
        """Raises `OverflowError`."""
        nanoseconds = self.nanoseconds + duration.nanoseconds
        if nanoseconds not in _INT64:
            raise OverflowError("time out of range")
        return Time(nanoseconds)

    def _element(self, element: str) -> str:
        if element[0] in ".,":
            digits = f"{self.nanoseconds % _SECOND:09d}"[: len(element) - 1]
            if element[1] == "9":
                digits = digits.rstrip("0")
            return element[0] + digits if digits else ""
        return _ELEMENTS[element](self.parts)


def _decimal(nanoseconds: int, unit: int) -> str:
    whole, fraction = divmod(nanoseconds, unit)
    digits = f"{fraction:0{len(str(unit)) - 1}d}".rstrip("0") if unit > 1 else ""
    return f"{whole}.{digits}" if digits else str(whole)


_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# Source: Go's time/format.go.
_ELEMENTS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "January": lambda at: _MONTHS[at.month - 1],
    "Jan": lambda at: _MONTHS[at.month - 1][:3],
    "Monday": lambda at: _WEEKDAYS[at.weekday()],
    "Mon": lambda at: _WEEKDAYS[at.weekday()][:3],
    "MST": lambda _: "UTC",
    "2006": lambda at: f"{at.year:04d}",
    "002": lambda at: f"{at.timetuple().tm_yday:03d}",
    "__2": lambda at: f"{at.timetuple().tm_yday:3d}",
    "_2": lambda at: f"{at.day:2d}",
    "01": lambda at: f"{at.month:02d}",
    "02": lambda at: f"{at.day:02d}",
    "03": lambda at: f"{at.hour % 12 or 12:02d}",
    "04": lambda at: f"{at.minute:02d}",
    "05": lambda at: f"{at.second:02d}",
    "06": lambda at: f"{at.year % 100:02d}",
    "15": lambda at: f"{at.hour:02d}",
    "PM": lambda at: "PM" if at.hour >= 12 else "AM",
    "pm": lambda at: "pm" if at.hour >= 12 else "am",
    "-07:00:00": lambda _: "+00:00:00",
    "-07:00": lambda _: "+00:00",
    "-070000": lambda _: "+000000",
    "-0700": lambda _: "+0000",
    "-07": lambda _: "+00",
    "Z07:00:00": lambda _: "Z",
    "Z07:00": lambda _: "Z",
    "Z070000": lambda _: "Z",
    "Z0700": lambda _: "Z",
    "Z07": lambda _: "Z",
    "1": lambda at: str(at.month),
    "2": lambda at: str(at.day),
    "3": lambda at: str(at.hour % 12 or 12),
    "4": lambda at: str(at.minute),
    "5": lambda at: str(at.second),
}
_ELEMENT: Final = re.compile(
    r"[.,](?:0+|9+)(?![0-9])|Jan(?![a-z])|Mon(?![a-z])|_2(?!006)|"
    + "|".join(re.escape(name) for name in sorted(_ELEMENTS, key=len, reverse=True))
)


def month_of(time: Time) -> NamedInt:
    """The month, from 1."""
    month = time.parts.month
    return NamedInt(month, _MONTHS[month - 1])


def weekday_of(time: Time) -> NamedInt:
    """The day of the week, from Sunday, which is 0."""
    day = time.parts.weekday()
    return NamedInt((day + 1) % 7, _WEEKDAYS[day])
