"""Test scripts from text to statements. Behaves as upstream's promql/promqltest/test.go parses."""

import re
from dataclasses import dataclass, replace
from typing import Final

import re2

from miniprom.promqltest.errors import NotationError, ScriptError
from miniprom.promqltest.series import SeriesLine, parse_metric, parse_offsets, parse_series
from miniprom.promqltest.statements import (
    Clear,
    Evaluation,
    Expectation,
    Kind,
    Load,
    LoadedSeries,
    Script,
    Statement,
    Steps,
    TextExpectation,
)
from query.language.literals import LiteralError, parse_duration_ms, parse_number, unquote

_LOAD: Final = re.compile(r"load(?P<nhcb>_with_nhcb)?\s+(?P<interval>.+)")
_INSTANT: Final = re.compile(
    r"eval(?:_(?P<mode>fail|warn|info|ordered))?\s+instant\s+at\s+(?P<at>\S+)\s+(?P<query>.+)"
)
_RANGE: Final = re.compile(
    r"eval(?:_(?P<mode>fail|warn|info))?\s+range"
    r"\s+from\s+(?P<start>\S+)\s+to\s+(?P<end>\S+)\s+step\s+(?P<step>\S+)\s+(?P<query>.+)"
)
_EXPECT: Final = re.compile(
    r"expect\s+(?P<what>ordered|fail|warn|no_warn|info|no_info)(?:\s+(?P<how>msg|regex):(?P<text>.+))?"
)
_EXPECT_STEPS: Final = re.compile(
    r"expect range vector\s+from\s+(?P<start>\S+)\s+to\s+(?P<end>\S+)\s+step\s+(?P<step>\S+)"
)
_EXPECTED_FAIL: Final = re.compile(r"expected_fail_(?P<how>message|regexp)\s+(?P<text>.+)")
_START_TIMESTAMPS: Final = re.compile(r"(?P<metric>\S+)@st\s+(?P<offsets>.+)")

_ANYTHING: Final = TextExpectation("anything", lambda _: True)


def parse_script(text: str, name: str) -> Script:
    """All statements of a script. Raises `ScriptError` at the first line that can't be understood."""
    stripped = [line.strip() for line in text.split("\n")]
    lines = _Lines(name, ["" if line.startswith("#") else line for line in stripped])
    statements: list[Statement] = []
    while lines.skip_empty():
        command = re.split(r"[ \t]", lines.current, maxsplit=1)[0].lower()
        if command == "clear":
            statements.append(Clear(lines.number))
            lines.position += 1
        elif command.startswith("load"):
            statements.append(_load(lines))
        elif command.startswith("eval"):
            statements.append(_evaluation(lines))
        else:
            raise lines.error(f"expected load, clear or eval, got {lines.current!r}")
    return Script(name, tuple(statements))


@dataclass
class _Lines:
    """The lines of a script and how far it was read."""

    name: str
    lines: list[str]
    position: int = 0

    @property
    def current(self) -> str:
        """The line at the position; empty at the end of the script, too."""
        return self.lines[self.position] if self.position < len(self.lines) else ""

    @property
    def number(self) -> int:
        return self.position + 1

    def skip_empty(self) -> bool:
        """Goes to the next line with a text; False if there is none."""
        while self.position < len(self.lines) and not self.current:
            self.position += 1
        return self.position < len(self.lines)

    def error(self, message: str) -> ScriptError:
        return ScriptError(f"{self.name}:{self.number}: {message}")

    def matched(self, pattern: re.Pattern[str], expected: str) -> re.Match[str]:
        match = pattern.fullmatch(self.current)
        if match is None:
            raise self.error(f"expected {expected}, got {self.current!r}")
        return match

    def duration_ms(self, text: str) -> int:
        try:
            return parse_duration_ms(text)
        except LiteralError as error:
            raise self.error(str(error)) from error

    def steps(self, match: re.Match[str]) -> Steps:
        start_ms, end_ms, step_ms = (self.duration_ms(match[group]) for group in ("start", "end", "step"))
        if end_ms < start_ms:
            raise self.error(f"the end, {match['end']}, is before the start, {match['start']}")
        if step_ms == 0:
            raise self.error("expected a step greater than 0")
        return Steps(start_ms, end_ms, step_ms)

    def series(self) -> SeriesLine:
        try:
            return parse_series(self.current)
        except NotationError as error:
            raise self.error(str(error)) from error


def _load(lines: _Lines) -> Load:
    match = lines.matched(_LOAD, "load <interval> or load_with_nhcb <interval>")
    interval_ms, line = lines.duration_ms(match["interval"]), lines.number
    lines.position += 1
    series: list[LoadedSeries] = []
    while lines.current:
        if start_timestamps := _START_TIMESTAMPS.fullmatch(lines.current):
            series.append(_series_with_start_timestamps(lines, start_timestamps))
        else:
            series.append(LoadedSeries(lines.series()))
        lines.position += 1
    return Load(line, interval_ms, tuple(series), with_custom_buckets=match["nhcb"] is not None)


def _series_with_start_timestamps(lines: _Lines, match: re.Match[str]) -> LoadedSeries:
    """An `@st` line and the line of samples after it."""
    try:
        labels, _ = parse_metric(match["metric"])
        offsets_ms = parse_offsets(match["offsets"])
    except NotationError as error:
        raise lines.error(str(error)) from error
    lines.position += 1
    if not lines.current:
        raise lines.error("expected the line of samples that belongs to the @st line above")
    series = lines.series()
    if series.labels != labels:
        raise lines.error("the series is not the one of the @st line above")
    if len(series.values) != len(offsets_ms):
        raise lines.error(f"{len(series.values)} samples, but {len(offsets_ms)} start timestamps above")
    return LoadedSeries(series, offsets_ms)


def _evaluation(lines: _Lines) -> Evaluation:
    line = lines.number
    when: int | Steps
    if match := _RANGE.fullmatch(lines.current):
        when = lines.steps(match)
    else:
        match = lines.matched(
            _INSTANT,
            "eval instant at <time> <query> or eval range from <start> to <end> step <step> <query>",
        )
        when = lines.duration_ms(match["at"])
    expected = _OLD_MODES[match["mode"]]
    lines.position += 1
    while lines.current:
        expected, is_last = _expectation(lines, expected, is_range=isinstance(when, Steps))
        lines.position += 1
        if is_last:
            break
    return Evaluation(line, match["query"], when, expected)


_OLD_MODES: Final[dict[str | None, Expectation]] = {
    None: Expectation(),
    "fail": Expectation(texts=((Kind.FAIL, _ANYTHING),)),
    "warn": Expectation(texts=((Kind.WARN, _ANYTHING),)),
    "info": Expectation(texts=((Kind.INFO, _ANYTHING),)),
    "ordered": Expectation(ordered=True),
}


def _expectation(lines: _Lines, expected: Expectation, *, is_range: bool) -> tuple[Expectation, bool]:
    """`expected` and what the current line adds, and whether that line ends the statement."""
    line = lines.current
    if line.startswith("expected_fail_"):
        match = lines.matched(
            _EXPECTED_FAIL, "expected_fail_message <text> or expected_fail_regexp <pattern>"
        )
        how = "msg" if match["how"] == "message" else "regex"
        return replace(expected, texts=((Kind.FAIL, _text_expectation(lines, how, match["text"])),)), True
    if line.startswith("expect range vector"):
        match = lines.matched(_EXPECT_STEPS, "expect range vector from <start> to <end> step <step>")
        return replace(expected, range_vector=lines.steps(match)), False
    if line.startswith("expect string"):
        return replace(expected, string=_quoted(lines, line.removeprefix("expect string").strip())), False
    if line.split()[0] == "expect":
        return _expect(lines, expected), False
    try:
        return replace(expected, scalar=_lone_number(line)), True
    except LiteralError:
        series = lines.series()
    if len(series.values) > 1 and not is_range and expected.range_vector is None:
        raise lines.error("expected one value, or an 'expect range vector' line above")
    return replace(expected, series=(*expected.series, series)), False


def _expect(lines: _Lines, expected: Expectation) -> Expectation:
    match = lines.matched(
        _EXPECT, "expect ordered, fail, warn, no_warn, info or no_info, with ' msg: ' or ' regex: '"
    )
    what = match["what"]
    if what == "ordered":
        return replace(expected, ordered=True)
    if what.startswith("no_"):
        added = replace(expected, none_of=expected.none_of | {Kind(what.removeprefix("no_"))})
    else:
        text = _text_expectation(lines, match["how"], match["text"])
        added = replace(expected, texts=(*expected.texts, (Kind(what), text)))
    for kind in added.none_of:
        if added.texts_of(kind):
            raise lines.error(f"expect {kind.value} and expect no_{kind.value} exclude each other")
    if len(added.texts_of(Kind.FAIL)) > 1:
        raise lines.error("expect fail is given twice")
    return added


def _text_expectation(lines: _Lines, how: str | None, text: str | None) -> TextExpectation:
    if how is None or text is None:
        return _ANYTHING
    text = text.strip()
    if how == "msg":
        return TextExpectation(f"{text!r}", text.__eq__)
    try:
        pattern = re2.compile(text)
    except re2.error as error:
        raise lines.error(f"invalid regular expression {text!r}: {error}") from error
    return TextExpectation(f"the pattern {text!r}", lambda actual: pattern.search(actual) is not None)


def _quoted(lines: _Lines, text: str) -> str:
    try:
        if len(text) < 2 or text[0] not in '"`' or text[-1] != text[0]:
            raise LiteralError("expected a quoted string")
        return unquote(text)
    except LiteralError as error:
        raise lines.error(f"{error}, got {text!r}") from error


def _lone_number(line: str) -> float:
    number = parse_number(line.lstrip("+-"))
    return -number if line.startswith("-") else number
