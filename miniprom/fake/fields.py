"""Reads the JSON of control requests: each value by its name, and nothing unknown is passed over."""

import math
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from collector.errors import UnitError
from collector.units import parse_duration_ms
from miniprom.api.params import parse_time_ms
from miniprom.fake.errors import FakeError

_MISSING: Final = object()


class Fields:
    """One JSON object. `where` names it in messages; times may be relative to `now_ms`.

    Each reading method takes a name and, if the field may be left out, what stands for it then; all raise
    `FakeError`.
    """

    def __init__(self, value: object, where: str, now_ms: int, known: Collection[str]) -> None:
        if not isinstance(value, dict):
            raise FakeError(f"{where}: expected an object, got {shown(value)}")
        for name in value:
            if name not in known:
                raise FakeError(f"{where}: unknown field {name!r}; {_expected(name, known)}")
        self._values: Mapping[str, Any] = value
        self.where = where
        self.now_ms = now_ms

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def any(self, name: str) -> Any:
        """The value, whatever it is; None if it is absent."""
        return self._values.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        value = self._get(name, default)
        if not isinstance(value, str):
            raise self.wrong(name, "a text")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        return self._number(name, self._get(name, default))

    def whole(self, name: str, default: int | None = None, *, least: int = 0) -> int:
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(name, f"a whole number of at least {least}")
        return value

    def time_ms(self, name: str, default_ms: int | None = None) -> int:
        """A time: Unix seconds, RFC 3339, or as far from now as `-2h` or `+10m` says."""
        value = self._get(name, _MISSING if default_ms is None else default_ms)
        if name not in self and default_ms is not None:
            return default_ms
        try:
            return time_ms(value, self.now_ms)
        except ValueError as error:
            expected = 'a time such as 1700000000, "2024-01-01T00:00:00Z", "now" or "-2h"'
            raise self.wrong(name, expected) from error

    def times_ms(self, name: str) -> list[int]:
        """A list of times; [] if it is absent."""
        value = self._get(name, ())
        try:
            return [time_ms(item, self.now_ms) for item in value]
        except (ValueError, TypeError) as error:
            raise self.wrong(name, 'a list of times such as 1700000000, "now" or "-2h"') from error

    def duration_ms(self, name: str, default_ms: int | None = None, *, least_ms: int = 1) -> int:
        """`10m`, or seconds; more than zero, unless `least_ms` says otherwise."""
        value = self._get(name, _MISSING if default_ms is None else default_ms)
        if name not in self and default_ms is not None:
            return default_ms
        try:
            duration_ms = _duration_ms(value)
        except ValueError as error:
            raise self.wrong(name, 'a duration such as "10m", or seconds') from error
        if duration_ms < least_ms:
            raise self.wrong(name, f"a duration of at least {least_ms} ms")
        return duration_ms

    def numbers(self, name: str, default: Sequence[float] | None = None) -> list[float]:
        value = self._get(name, default)
        if not isinstance(value, list | tuple):
            raise self.wrong(name, "a list of numbers")
        return [self._number(f"{name}[{position}]", item) for position, item in enumerate(value)]

    def texts(self, name: str) -> list[str]:
        """[] if it is absent."""
        value = self._get(name, ())
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise self.wrong(name, "a list of texts")
        return list(value)

    def text_by_name(self, name: str) -> dict[str, str]:
        """An object of texts; {} if it is absent."""
        value = self._get(name, {})
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise self.wrong(name, "an object of texts")
        return value

    def one_of(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise FakeError(f"{self.where}.{name}: {shown(value)} is unknown; {_expected(value, choices)}")
        return value

    def wrong(self, name: str, expected: str) -> FakeError:
        """An error about a field."""
        value = self._values.get(name.partition("[")[0])
        got = "nothing" if value is None else shown(value)
        return FakeError(f"{self.where}.{name}: expected {expected}, got {got}")

    def _get(self, name: str, default: Any) -> Any:
        value = self._values.get(name)
        return default if value is None else value

    def _number(self, name: str, value: object) -> float:
        try:
            return number(value)
        except ValueError as error:
            raise self.wrong(name, "a number") from error


def number(value: object) -> float:
    """A JSON number, or a text such as "NaN" or "+Inf", as answers have them. Raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a number")
    if isinstance(value, str) and (value.strip() != value or "_" in value):
        raise ValueError("not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("too large") from error


def time_ms(value: object, now_ms: int) -> int:
    """A time as the control API takes it. Raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a time")
    if not isinstance(value, str):
        if not math.isfinite(value):
            raise ValueError("not a time")
        return parse_time_ms(f"{value:.6f}")
    if value == "now":
        return now_ms
    if value[:1] in ("+", "-") and value[-1:].isalpha():
        distance_ms = _duration_ms(value[1:])
        return now_ms + distance_ms if value[0] == "+" else now_ms - distance_ms
    return parse_time_ms(value)


def shown(value: object) -> str:
    """A value in a message, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _duration_ms(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a duration")
    if isinstance(value, str):
        try:
            return parse_duration_ms(value)
        except UnitError as error:
            raise ValueError(str(error)) from error
    if not math.isfinite(value) or abs(value) > 1e11:
        raise ValueError("not a duration")
    return round(value * 1000)


def _expected(name: str, known: Collection[str]) -> str:
    nearest = get_close_matches(name, known, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"expected one of {', '.join(sorted(known))}{hint}"
