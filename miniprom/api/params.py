"""Request parameters as Prometheus reads them: unknown ones are ignored, empty ones count as absent."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from collector.errors import UnitError
from collector.units import parse_duration_ms
from miniprom.api.errors import ApiError, BadParameterError, ErrorType
from miniprom.api.watch import WATCH
from query import ParseError
from query.language import parse_selector
from tsdb import Matcher

MIN_TIME_MS: Final = -9_223_309_901_257_974_000
MAX_TIME_MS: Final = 9_223_309_901_257_974_999
_BOUNDARY_TIMES_MS: Final = {
    "-292273086-05-16T16:47:06Z": MIN_TIME_MS,
    "292277025-08-18T07:12:54.999999999Z": MAX_TIME_MS,
}
_MAX_FORM_BYTES: Final = 10 << 20
_MAX_DURATION_MS: Final = (1 << 63) // 1_000_000
_FORM: Final = "application/x-www-form-urlencoded"
_FLOAT: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# RFC 3339 section 5.6, with the capital T and Z that Go insists on.
_RFC3339: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# Escapes of a name in a URL path (prometheus/common model.UnescapeName): `__` is `_`, `_2e_` is `.`.
_NAME_ESCAPE: Final = re.compile(r"__|_([0-9a-fA-F]{1,6})_")


class Params:
    """The parameters of one request; those of a form body stand before those of the URL."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def all(self) -> dict[str, list[str]]:
        """All values of each name."""
        return {name: list(values) for name, values in self._values.items()}

    def text(self, name: str) -> str:
        """The first value of `name`, "" if there is none."""
        values = self._values.get(name)
        return values[0] if values else ""

    def texts(self, name: str) -> Sequence[str]:
        """All values of `name`."""
        return self._values.get(name, ())

    def time_ms(self, name: str, default_ms: int | None = None) -> int:
        """A point in time. Raises `BadParameterError`, also when it is absent and has no default."""
        text = self.text(name)
        if not text and default_ms is not None:
            return default_ms
        try:
            return parse_time_ms(text)
        except ValueError as error:
            context = f"invalid time value for '{name}': " if default_ms is not None else ""
            raise BadParameterError(name, f"{context}{error}") from error

    def span_ms(self) -> tuple[int, int]:
        """`start` and `end` of the endpoints where both may be left out."""
        return self.time_ms("start", MIN_TIME_MS), self.time_ms("end", MAX_TIME_MS)

    def duration_ms(self, name: str) -> float | None:
        """A duration, None if absent. Raises `BadParameterError`."""
        return self.required_duration_ms(name) if self.text(name) else None

    def required_duration_ms(self, name: str) -> float:
        """A duration. Raises `BadParameterError`."""
        try:
            return parse_duration_or_seconds_ms(self.text(name))
        except ValueError as error:
            raise BadParameterError(name, str(error)) from error

    def limit(self) -> int:
        """`limit`, 0 for none. Raises `BadParameterError`."""
        text = self.text("limit")
        if not text:
            return 0
        limit = parse_int(text)
        if limit is None:
            raise BadParameterError("limit", f"cannot parse {text!r} as a whole number")
        if limit < 0:
            raise BadParameterError("limit", "limit must be non-negative")
        return limit

    def number(self, name: str) -> int:
        """An optional whole number, -1 if absent. Raises `ApiError`."""
        text = self.text(name)
        number = parse_int(text) if text else -1
        if number is None:
            raise ApiError(ErrorType.BAD_DATA, f"{name} must be a number")
        return number

    def selectors(self, name: str) -> list[tuple[Matcher, ...]]:
        """The matchers of each selector that is given. Raises `ApiError`."""
        try:
            return [parse_selector(text) for text in self.texts(name)]
        except ParseError as error:
            raise ApiError(ErrorType.BAD_DATA, str(error)) from error

    def matcher_sets(self) -> list[tuple[Matcher, ...]]:
        """`match[]`, refusing selectors that select everything. Raises `ApiError`."""
        sets = self.selectors("match[]")
        if any(all(matcher.matches("") for matcher in matchers) for matchers in sets):
            raise ApiError(ErrorType.BAD_DATA, "match[] must contain at least one non-empty matcher")
        return sets


async def read_params(request: web.Request) -> Params:
    """The parameters of the URL, and of the body of a form. Raises `ApiError` for a broken or huge form.

    They are read once only of a request that is watched.
    """
    watch = WATCH.get()
    if watch is None:
        return await _read_params(request)
    if watch.params is None:
        watch.params = await _read_params(request)
    return watch.params


def params_of(forms: Iterable[bytes]) -> Params:
    """The parameters of URL-encoded forms. Raises `ApiError` for a broken one."""
    values: dict[str, list[str]] = {}
    for form in forms:
        if broken := _BROKEN_ESCAPE.search(form):
            escape = form[broken.start() : broken.start() + 3].decode(errors="replace")
            raise ApiError(ErrorType.BAD_DATA, f'error parsing form values: invalid URL escape "{escape}"')
        text = form.decode(errors="replace")
        for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
            values.setdefault(name, []).append(value)
    return Params(values)


async def _read_params(request: web.Request) -> Params:
    forms = [request.rel_url.raw_query_string.encode()]
    if request.method in ("POST", "PUT", "PATCH") and request.content_type == _FORM:
        forms.insert(0, await _read_form(request))
    return params_of(forms)


def parse_time_ms(text: str) -> int:
    """Unix seconds or RFC 3339, as milliseconds. Raises `ValueError`."""
    if _FLOAT.fullmatch(text):
        seconds = float(text)
        if abs(seconds) <= MAX_TIME_MS / 1000:
            fraction, whole = math.modf(seconds)
            return int(whole) * 1000 + int(math.copysign(math.floor(abs(fraction) * 1000 + 0.5), fraction))
    elif match := _RFC3339.fullmatch(text):
        moment, fraction_digits, zone = match.groups()
        try:
            start = datetime.fromisoformat(moment + zone.replace("Z", "+00:00"))
        except ValueError:
            pass
        else:
            return int(start.timestamp()) * 1000 + int((fraction_digits or "0").ljust(3, "0")[:3])
    elif text in _BOUNDARY_TIMES_MS:
        return _BOUNDARY_TIMES_MS[text]
    raise ValueError(f'cannot parse "{text}" to a valid timestamp')


def parse_duration_or_seconds_ms(text: str) -> float:
    """`5m` or `300`, as milliseconds. Raises `ValueError`."""
    if _FLOAT.fullmatch(text):
        duration_ms = float(text) * 1000
        if abs(duration_ms) > _MAX_DURATION_MS:
            raise ValueError(f'cannot parse "{text}" to a valid duration. It overflows int64')
        return duration_ms
    try:
        return parse_duration_ms(text)
    except UnitError as error:
        raise ValueError(f'cannot parse "{text}" to a valid duration') from error


def parse_int(text: str) -> int | None:
    """A decimal whole number as Go's Atoi takes it, else None."""
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII) else None


def unescape_name(name: str) -> str:
    """The name behind its `U__` form; a name that isn't one stays what it is."""
    if not name.startswith("U__"):
        return name
    body = name.removeprefix("U__")
    rest = _NAME_ESCAPE.sub("", body)
    if "_" in rest:
        return name
    return _NAME_ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else "_", body)


async def _read_form(request: web.Request) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > _MAX_FORM_BYTES:
            raise ApiError(ErrorType.BAD_DATA, "error parsing form values: http: request body too large")
    return bytes(body)
