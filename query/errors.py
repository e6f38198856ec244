"""Errors of `query`; all derive from `QueryError`."""


class QueryError(Exception):
    """Base of every error that `query` raises."""


class ParseError(QueryError, ValueError):
    """A query that is not PromQL. `str` gives upstream's one line, `drawing` the query with a caret.

    `start` and `end` are character positions in `text`; `hint` is empty or a suggestion.
    """

    def __init__(self, message: str, start: int, end: int, text: str, hint: str = "") -> None:
        super().__init__(f"{position(text, start)}: parse error: {message}")
        self.message = message
        self.start = start
        self.end = end
        self.text = text
        self.hint = hint

    @property
    def drawing(self) -> str:
        """The one-liner, the line of the query, carets below the place, and the hint."""
        line_start = self.text.rfind("\n", 0, self.start) + 1
        line_end = self.text.find("\n", self.start)
        line = self.text[line_start : line_end if line_end >= 0 else len(self.text)]
        column = self.start - line_start
        carets = max(1, min(self.end, line_start + len(line)) - self.start)
        margin = "".join("\t" if char == "\t" else " " for char in line[:column])
        drawn = f"{self}\n  {line}\n  {margin}{'^' * carets}"
        return f"{drawn}\n{self.hint}" if self.hint else drawn


def position(text: str, offset: int) -> str:
    """`line:column` of a character position, both from 1, the column in UTF-8 bytes.

    Source: upstream's posrange.PositionRange.StartPosInput.
    """
    if not text:
        return "unknown position"
    before = text[:offset]
    last_line = before[before.rfind("\n") + 1 :]
    return f"{before.count(chr(10)) + 1}:{len(last_line.encode(errors='surrogatepass')) + 1}"


class PlanError(QueryError, ValueError):
    """A query that parses but can't be asked like this: a bad duration, a range vector over a range."""
