"""The series notation of test scripts and rule unit tests: `name{label="value"} 1 2+3x4 _ {{sum:1}}`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from miniprom.promqltest.errors import NotationError
from miniprom.promqltest.histogram_notation import StatedHistogram, parse_histogram
from query.language.literals import LiteralError, parse_duration_ms, parse_number, unquote
from tsdb import METRIC_NAME, Labels, labels_from
from tsdb.errors import IncompatibleHistogramsError
from tsdb.histogram_arithmetic import add, subtract
from tsdb.sample import STALE

SeriesValue: TypeAlias = float | StatedHistogram | None
"""A sample, or None where there is none. A staleness marker is the float `STALE`."""

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`'
_LABEL: Final = re.compile(rf"\s*(?P<name>[\w.:]+|{_QUOTED})\s*(?:=\s*(?P<value>{_QUOTED}))?\s*(?:,|(?=}}))")
_CLOSING: Final = re.compile(r"\s*\}")

_NUMBER: Final = r"(?:(?:\d[\d_]*\.?[\d_]*|\.\d+)(?:[eE][+-]?\d+)?|[nN][aA][nN]|[iI][nN][fF])"
_HEXADECIMAL: Final = re.compile(r"[+-]?0[xX][0-9]*[a-fA-F][0-9a-fA-F]*")
_BLANKS: Final = re.compile(r"_(?:x(?P<times>\d+))?")
_FLOATS: Final = re.compile(rf"(?P<first>stale|[+-]?{_NUMBER})(?P<step>[+-]{_NUMBER})?(?:x(?P<times>\d+))?")
_HISTOGRAMS: Final = re.compile(
    r"\{\{(?P<first>.*?)\}\}(?:(?P<sign>[+-])\{\{(?P<step>.*?)\}\})?(?:x(?P<times>\d+))?"
)
_OFFSET: Final = r"[+-]?(?:\d+[a-wyz]*)+"
_OFFSETS: Final = re.compile(rf"(?P<first>{_OFFSET})(?P<step>[+-]{_OFFSET})?(?:x(?P<times>\d+))?")
# Blanks part items, but not inside of a histogram.
_ITEM: Final = re.compile(r"(?:\{\{.*?\}\}|[^\s])+")

Number = TypeVar("Number", int, float)

MAX_VALUES: Final = 1_000_000
"""More values than this on one line are taken for a mistake."""


@dataclass(frozen=True)
class SeriesLine:
    """One series and its values, in the order of their times."""

    labels: Labels
    values: tuple[SeriesValue, ...]


def parse_series(text: str) -> SeriesLine:
    """A whole line. Raises `NotationError`."""
    labels, rest = parse_metric(text.strip())
    if rest and not rest[0].isspace():
        raise NotationError(f"expected a blank between series and values, got {rest!r}")
    return SeriesLine(labels, parse_sequence(rest))


def parse_sequence(text: str) -> tuple[SeriesValue, ...]:
    """The values of a line: items with blanks between them. Raises `NotationError`."""
    return tuple(value for item in _ITEM.findall(text) for value in parse_values(item))


def parse_metric(text: str) -> tuple[Labels, str]:
    """The labels of `name{label="value", ...}` and what follows. Raises `NotationError`."""
    name = _NAME.match(text)
    pairs = {METRIC_NAME: name.group()} if name else {}
    end = name.end() if name else 0
    if text[end : end + 1] != "{" or text.startswith("{{", end):
        if name is None:
            raise NotationError(f'expected a series such as name{{label="value"}}, got {text!r}')
        return labels_from(pairs), text[end:]
    end += 1
    while not (closing := _CLOSING.match(text, end)):
        label = _LABEL.match(text, end)
        if label is None:
            raise NotationError(f'expected label="value" and a closing brace, got {text[end:]!r}')
        label_name, value = _label_pair(label)
        if label_name in pairs:
            raise NotationError(f"label {label_name!r} is given twice in {text!r}")
        pairs[label_name] = value
        end = label.end()
    return labels_from(pairs), text[closing.end() :]


def parse_values(item: str) -> list[SeriesValue]:
    """The values of one item: `5`, `_x3`, `1+2x3`, `{{...}}x4`. Raises `NotationError`."""
    try:
        if blanks := _BLANKS.fullmatch(item):
            return [None] * _times(blanks["times"] or "1")
        if histograms := _HISTOGRAMS.fullmatch(item):
            return list(_histogram_values(histograms))
        if _HEXADECIMAL.fullmatch(item):
            return [_number(item)]
        if floats := _FLOATS.fullmatch(item):
            first = float(STALE) if floats["first"] == "stale" else _number(floats["first"])
            step = _number(floats["step"]) if floats["step"] else None
            return list(_progression(first, step, floats["times"]))
    except LiteralError as error:
        raise NotationError(f"{item!r}: {error}") from error
    raise NotationError(f"expected a value such as 5, _, stale, 1+2x3 or {{{{sum:1}}}}, got {item!r}")


def parse_offsets(text: str) -> tuple[int | None, ...]:
    """Start timestamps of an `@st` line, in ms relative to their samples. Raises `NotationError`."""
    offsets: list[int | None] = []
    for item in text.split():
        if blanks := _BLANKS.fullmatch(item):
            offsets += [None] * _times(blanks["times"] or "1")
        elif durations := _OFFSETS.fullmatch(item):
            first = _signed_duration_ms(durations["first"])
            step = _signed_duration_ms(durations["step"]) if durations["step"] else None
            offsets += _progression(first, step, durations["times"])
        else:
            raise NotationError(f"expected a start timestamp such as -1m, _ or -1m+10sx3, got {item!r}")
    return tuple(offsets)


def _label_pair(label: re.Match[str]) -> tuple[str, str]:
    name = label["name"]
    if label["value"] is None:
        if name[0] not in "\"'`":
            raise NotationError(f'expected {name}="value"')
        return METRIC_NAME, unquote(name)
    return (unquote(name) if name[0] in "\"'`" else name), unquote(label["value"])


def _number(text: str) -> float:
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    return -parse_number(digits) if sign == "-" else parse_number(digits)


def _signed_duration_ms(text: str) -> int:
    try:
        duration_ms = parse_duration_ms(text.lstrip("+-"))
    except LiteralError as error:
        raise NotationError(str(error)) from error
    return -duration_ms if text[0] == "-" else duration_ms


def _times(text: str) -> int:
    times = int(text)
    if times > MAX_VALUES:
        raise NotationError(f"{times} values in one item are too many, expected at most {MAX_VALUES}")
    return times


def _progression(first: Number, step: Number | None, times: str | None) -> list[Number]:
    """`first`, then `times` more, each `step` apart."""
    if times is None:
        if step is not None:
            raise NotationError("expected x and a count after the step, as in 1+2x3")
        return [first]
    values = [first]
    for _ in range(_times(times)):
        values.append(values[-1] if step is None else values[-1] + step)
    return values


def _histogram_values(match: re.Match[str]) -> Iterator[StatedHistogram]:
    """The first histogram, then `times` more, each the sum or difference of its predecessor and the step."""
    current = parse_histogram(match["first"])
    if match["step"] is None:
        yield from [current] * (1 + _times(match["times"] or "0"))
        return
    if match["times"] is None:
        raise NotationError("expected x and a count after the step, as in {{sum:1}}+{{sum:2}}x3")
    step = parse_histogram(match["step"])
    combine = add if match["sign"] == "+" else subtract
    # Upstream judges by the step whether the hint was stated.
    current = StatedHistogram(current.histogram, step.hint_is_stated)
    yield current
    for _ in range(_times(match["times"])):
        if current.histogram.schema > step.histogram.schema:
            raise NotationError(
                f"cannot merge from schema {step.histogram.schema} to {current.histogram.schema}"
            )
        try:
            combined = combine(current.histogram, step.histogram).histogram
        except IncompatibleHistogramsError as error:
            raise NotationError(str(error)) from error
        current = StatedHistogram(combined, step.hint_is_stated)
        yield current
