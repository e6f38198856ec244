"""A body's lines, and errors that name one."""

import re
from collections.abc import Callable
from typing import Final, TypeVar

import numpy as np

from collector.errors import ExpositionError
from collector.exposition.format import Format, LineError
from tsdb.sample import IntArray

Meaning = TypeVar("Meaning")

# A line feed between double quotes ends no line, unless they stand in a comment or a help text.
_QUOTED: Final = rb'"(?:[^"\\]++|\\[^\n])*+"'
_LINE: Final = re.compile(
    rb"(?:[ \t]*+#(?:[ \t]++[A-Z]++[ \t]++%b)?+[^\n]*+|(?:[^\"\n]++|%b|\")*+)\n" % (_QUOTED, _QUOTED)
)
_LINE_FEED: Final = ord("\n")
_NEW_VALUE: Final = 1
_NEW: Final = 2
_NO_LINES: Final[IntArray] = np.empty(0, np.int64)


class Lines:
    """The lines of a body. It stays in one piece: most of its lines are never looked at.

    Line n stands between the line feeds at `_ends[n]` and `_ends[n + 1]`; as if one were before the body, and
    one behind.
    """

    def __init__(self, body: bytes, ends: IntArray) -> None:
        self._body = body
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> bytes:
        return self._body[self._ends[index] + 1 : self._ends[index + 1]]

    def at(self, indices: IntArray, skip: IntArray | int = 0) -> list[bytes]:
        """The texts of these lines, without the first `skip` bytes of each."""
        starts, stops = self._ends[indices] + 1 + skip, self._ends[indices + 1]
        body = self._body
        return [body[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]

    def between(self, start: int, stop: int) -> list[bytes]:
        """The lines from `start` up to, not including, `stop`."""
        return self.at(np.arange(start, stop))

    def up_to(self, stop: int) -> "Lines":
        """The lines before `stop`."""
        return Lines(self._body, self._ends[: stop + 1])

    def number_of(self, index: int) -> int:
        """The line's number in the body, from 1, where a line with line feeds in it counts for several."""
        return 1 + self._body.count(b"\n", 0, int(self._ends[index]) + 1)

    def differing_from(self, before: "Lines", heads: IntArray) -> tuple[IntArray, IntArray]:
        """The lines that are not what the line in their place is in `before`, ascending.

        First those of which at least the first `heads[line]` bytes are, if that is not 0; then the others.
        """
        common = min(len(self), len(before))
        sizes = self._ends[1 : common + 1] - self._ends[:common]
        resized = (sizes != before._ends[1 : common + 1] - before._ends[:common]).nonzero()[0]
        kept, other = _NO_LINES, before._body
        if len(resized):
            kept = np.where(heads[resized] < sizes[resized], heads[resized], 0)
            other = self._aligned(before, common, resized, kept)
        lines, places = self._first_differences(other, max(0, int(self._ends[common])))
        kept_here = heads[lines]
        has_head = (kept_here > 0) & (places - self._ends[lines] > kept_here)
        if not len(resized) and common == len(self):
            return lines[has_head], lines[~has_head]
        marks = np.zeros(len(self), np.int8)
        marks[resized] = np.where(kept > 0, _NEW_VALUE, _NEW)
        marks[lines] = np.where(has_head, _NEW_VALUE, _NEW)
        marks[common:] = _NEW
        return np.flatnonzero(marks == _NEW_VALUE), np.flatnonzero(marks == _NEW)

    def _first_differences(self, other: bytes, end: int) -> tuple[IntArray, IntArray]:
        """The lines that differ from another body before `end`, and where each first does."""
        differs = np.frombuffer(self._body, np.uint8, end) != np.frombuffer(other, np.uint8, end)
        places = differs.nonzero()[0]
        lines = self._ends.searchsorted(places) - 1
        is_first = np.empty(len(lines), np.bool_)
        is_first[:1] = True
        np.not_equal(lines[1:], lines[:-1], out=is_first[1:])
        return lines[is_first], places[is_first]

    def _aligned(self, before: "Lines", common: int, resized: IntArray, kept: IntArray) -> bytes:
        """The first `common` lines of `before`, each at its present place.

        For that, what follows the first `kept` bytes of a resized line is taken from the present one.
        """
        parts: list[bytes] = []
        done = 0
        for until, start, stop, stop_before in zip(
            (before._ends[resized] + 1 + kept).tolist(),
            (self._ends[resized] + 1 + kept).tolist(),
            self._ends[resized + 1].tolist(),
            before._ends[resized + 1].tolist(),
            strict=True,
        ):
            parts += before._body[done:until], self._body[start:stop]
            done = stop_before
        parts.append(before._body[done : before._ends[common]])
        return b"".join(parts)


NO_LINES: Final = Lines(b"", np.full(1, -1))


def read_lines(body: bytes, form: Format, read: Callable[[Lines], Meaning]) -> Meaning:
    """What `read` makes of a body's lines. Raises ExpositionError.

    Hardly a body has line feeds between quotes: they are looked for only where reading without them failed.
    """
    line_feeds = (np.frombuffer(body, np.uint8) == _LINE_FEED).nonzero()[0]
    ends = np.empty(len(line_feeds) + 2, np.int64)
    ends[0], ends[1:-1], ends[-1] = -1, line_feeds, len(body)
    try:
        return read(_without_end(Lines(body, ends), form))
    except ExpositionError:
        quoted_ends = [-1, *(match.end() - 1 for match in _LINE.finditer(body + b"\n"))]
        if len(quoted_ends) == len(ends):
            raise
    return read(_without_end(Lines(body, np.array(quoted_ends)), form))


def line_error(lines: Lines, index: int, error: LineError) -> ExpositionError:
    """The error of `lines[index]`."""
    return ExpositionError(lines.number_of(index), lines[index], 1 + error.offset, error.expected)


def _without_end(lines: Lines, form: Format) -> Lines:
    if form.end is None:
        return lines
    last = len(lines) - 1
    if last and not lines[last]:
        last -= 1
    if lines[last] != form.end:
        raise ExpositionError(last + 1, lines[last], 1, f"{form.end.decode()!r} as the last line")
    return lines.up_to(last)
