"""A body's lines, and errors that name one."""

import re
from collections.abc import Callable
from typing import Final, TypeVar

from collector.errors import ExpositionError
from collector.exposition.format import Format, LineError

Meaning = TypeVar("Meaning")

# A line feed between double quotes ends no line, unless they stand in a comment or a help text.
_QUOTED: Final = rb'"(?:[^"\\]++|\\[^\n])*+"'
_LINE: Final = re.compile(
    rb"(?:[ \t]*+#(?:[ \t]++[A-Z]++[ \t]++%b)?+[^\n]*+|(?:[^\"\n]++|%b|\")*+)\n" % (_QUOTED, _QUOTED)
)


def read_lines(body: bytes, form: Format, read: Callable[[list[bytes]], Meaning]) -> Meaning:
    """What `read` makes of a body's lines. Raises ExpositionError.

    Hardly a body has line feeds between quotes: they are looked for only where reading without them failed.
    """
    lines = body.split(b"\n")
    try:
        return read(_without_end(lines, form))
    except ExpositionError:
        quoted_lines = [line[:-1] for line in _LINE.findall(body + b"\n")]
        if len(quoted_lines) == body.count(b"\n") + 1:
            raise
    return read(_without_end(quoted_lines, form))


def line_error(lines: list[bytes], index: int, error: LineError) -> ExpositionError:
    """The error of `lines[index]`, which may stand after lines with line feeds in them."""
    number = 1 + index + sum(line.count(b"\n") for line in lines[:index])
    return ExpositionError(number, lines[index], 1 + error.offset, error.expected)


def _without_end(lines: list[bytes], form: Format) -> list[bytes]:
    if form.end is None:
        return lines
    last = lines.pop() or (lines.pop() if lines else b"")
    if last != form.end:
        raise ExpositionError(1 + len(lines), last, 1, f"{form.end.decode()!r} as the last line")
    return lines
