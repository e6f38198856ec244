"""Prometheus's functions, and the methods of times. Source: upstream's template/template.go."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

from miniprom.templates.budget import MAX_CHARACTERS
from miniprom.templates.builtins import BUILTINS
from miniprom.templates.errors import FunctionError
from miniprom.templates.expansion import Expansion
from miniprom.templates.humanize import (
    humanize,
    humanize_1024,
    humanize_duration,
    humanize_percentage,
    humanize_timestamp,
    to_duration,
    to_time,
)
from miniprom.templates.signature import Signature
from miniprom.templates.times import Duration, Time, month_of, weekday_of
from miniprom.templates.values import AnyMap, Sample
from query.language.literals import LiteralError, parse_duration_ms
from tsdb.errors import RegexError
from tsdb.regex import compile_regex

Samples = tuple[Sample, ...]

_VARIABLE: Final = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")
# A word as Unicode divides text: apostrophes, dots and colons between letters are no end.
_WORD: Final = re.compile(r"\w+(?:['\u2019.:]\w+)*")


def _query(expansion: Expansion, text: str) -> Samples:
    return expansion.samples(text)


def _first(samples: Samples) -> Sample:
    if not samples:
        raise FunctionError("first() called on vector with no elements")
    return samples[0]


def _label(name: str, sample: Sample | None) -> str:
    return _present(sample).labels.get(name, "")


def _value(sample: Sample | None) -> Any:
    return _present(sample).value


def _strvalue(sample: Sample | None) -> str:
    return _present(sample).labels.get("__value__", "")


def _present(sample: Sample | None) -> Sample:
    if sample is None:
        raise FunctionError("runtime error: invalid memory address or nil pointer dereference")
    return sample


def _sort_by_label(name: str, samples: Samples) -> Samples:
    return tuple(sorted(samples, key=lambda sample: sample.labels.get(name, "").encode()))


def _args(*values: Any) -> AnyMap:
    return AnyMap({f"arg{position}": value for position, value in enumerate(values)})


def _regex(pattern: str) -> Any:
    try:
        return compile_regex(f"(?-s:{pattern})")
    except RegexError as error:
        raise FunctionError(f"error parsing regexp: {error}") from None


def _match(pattern: str, text: str) -> bool:
    return _regex(pattern).search(text) is not None


def _replace_all(pattern: str, replacement: str, text: str) -> str:
    parts: list[str] = []
    end = length = 0
    for match in _regex(pattern).finditer(text):
        parts += (text[end : match.start()], _expanded(replacement, match))
        end = match.end()
        length += len(parts[-1]) + len(parts[-2])
        if length > MAX_CHARACTERS:
            break
    return "".join((*parts, text[end:]))


def _expanded(replacement: str, match: Any) -> str:
    """Go's regexp.Expand: `$1`, `${name}`; a group that is not there is empty."""

    def group(variable: re.Match[str]) -> str:
        if variable[1]:
            return "$"
        name = variable[2] or variable[3]
        number = int(name) if name.isdecimal() else match.re.groupindex.get(name, -1)
        return match[number] or "" if 0 <= number <= match.re.groups else ""

    return _VARIABLE.sub(group, replacement)


def _title(text: str) -> str:
    return _WORD.sub(lambda word: word[0][0].title() + word[0][1:], text)


def _graph_link(query: str) -> str:
    return f"/graph?g0.expr={quote_plus(query)}&g0.tab=0"


def _table_link(query: str) -> str:
    return f"/graph?g0.expr={quote_plus(query)}&g0.tab=1"


def _split_host_port(text: str) -> tuple[str, str] | None:
    """Go's net.SplitHostPort; None where that fails."""
    host, colon, port = text.rpartition(":")
    if host.startswith("["):
        if not host.endswith("]"):
            return None
        host = host[1:-1]
    elif ":" in host:
        return None
    return None if not colon or set("[]") & set(host + port) else (host, port)


def _strip_port(text: str) -> str:
    parts = _split_host_port(text)
    return parts[0] if parts else text


def _strip_domain(text: str) -> str:
    host, port = _split_host_port(text) or (text, "")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name = host.partition(".")[0]
    else:
        return text
    if not port:
        return name
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _parse_duration(text: str) -> float:
    negative, digits = text.startswith("-"), text.removeprefix("-")
    try:
        seconds = parse_duration_ms(digits) / 1000
    except LiteralError as error:
        raise FunctionError(str(error)) from None
    return -seconds if negative else seconds


def _plus(time: Time, duration: Duration) -> Time:
    try:
        return time.plus(duration)
    except OverflowError as error:
        raise FunctionError(str(error)) from None


PROMETHEUS_FUNCTIONS: Final[Mapping[str, Signature]] = {
    "query": Signature(_query, ("string",), wants_expansion=True),
    "first": Signature(_first, ("template.queryResult",)),
    "label": Signature(_label, ("string", "*template.sample")),
    "value": Signature(_value, ("*template.sample",)),
    "strvalue": Signature(_strvalue, ("*template.sample",)),
    "sortByLabel": Signature(_sort_by_label, ("string", "template.queryResult")),
    "args": Signature(_args, rest="any"),
    "humanize": Signature(humanize, ("any",)),
    "humanize1024": Signature(humanize_1024, ("any",)),
    "humanizeDuration": Signature(humanize_duration, ("any",)),
    "humanizePercentage": Signature(humanize_percentage, ("any",)),
    "humanizeTimestamp": Signature(humanize_timestamp, ("any",)),
    "toTime": Signature(to_time, ("any",)),
    "toDuration": Signature(to_duration, ("any",)),
    "now": Signature(lambda expansion: expansion.data.time_ms / 1000, wants_expansion=True),
    "parseDuration": Signature(_parse_duration, ("string",)),
    "title": Signature(_title, ("string",)),
    "toUpper": Signature(str.upper, ("string",)),
    "toLower": Signature(str.lower, ("string",)),
    "match": Signature(_match, ("string", "string")),
    "reReplaceAll": Signature(_replace_all, ("string", "string", "string")),
    "stripPort": Signature(_strip_port, ("string",)),
    "stripDomain": Signature(_strip_domain, ("string",)),
    "urlQueryEscape": Signature(quote_plus, ("string",)),
    "safeHtml": Signature(str, ("string",)),
    "graphLink": Signature(_graph_link, ("string",)),
    "tableLink": Signature(_table_link, ("string",)),
    "externalURL": Signature(lambda expansion: expansion.data.external_url, wants_expansion=True),
    "pathPrefix": Signature(
        lambda expansion: urlsplit(expansion.data.external_url).path, wants_expansion=True
    ),
}

FUNCTIONS: Final[Mapping[str, Signature]] = {**BUILTINS, **PROMETHEUS_FUNCTIONS}

METHODS: Final[Mapping[type, Mapping[str, Signature]]] = {
    Time: {
        "Format": Signature(Time.format, ("string",)),
        "String": Signature(str),
        "UTC": Signature(lambda time: time),
        "Add": Signature(_plus, ("time.Duration",)),
        "Sub": Signature(lambda time, other: Duration(time.nanoseconds - other.nanoseconds), ("time.Time",)),
        "After": Signature(Time.__gt__, ("time.Time",)),
        "Before": Signature(Time.__lt__, ("time.Time",)),
        "Equal": Signature(Time.__eq__, ("time.Time",)),
        "Unix": Signature(lambda time: time.nanoseconds // 1_000_000_000),
        "UnixMilli": Signature(lambda time: time.nanoseconds // 1_000_000),
        "UnixMicro": Signature(lambda time: time.nanoseconds // 1_000),
        "UnixNano": Signature(lambda time: time.nanoseconds),
        "Year": Signature(lambda time: time.parts.year),
        "Month": Signature(month_of),
        "Day": Signature(lambda time: time.parts.day),
        "Weekday": Signature(weekday_of),
        "YearDay": Signature(lambda time: time.parts.timetuple().tm_yday),
        "Hour": Signature(lambda time: time.parts.hour),
        "Minute": Signature(lambda time: time.parts.minute),
        "Second": Signature(lambda time: time.parts.second),
    },
    Duration: {
        "String": Signature(str),
        "Hours": Signature(lambda duration: duration.nanoseconds / 3_600e9),
        "Minutes": Signature(lambda duration: duration.nanoseconds / 60e9),
        "Seconds": Signature(lambda duration: duration.nanoseconds / 1e9),
        "Milliseconds": Signature(lambda duration: int(duration.nanoseconds / 1e6)),
        "Microseconds": Signature(lambda duration: int(duration.nanoseconds / 1e3)),
        "Nanoseconds": Signature(lambda duration: duration.nanoseconds),
    },
}
