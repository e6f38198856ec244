"""RE2, the regular expressions of Prometheus."""

from typing import Any, Final

from tsdb.errors import RegexError


def compile_regex(pattern: str) -> Any:
    """The RE2 of a pattern in which `.` stands for newlines, too. Raises `RegexError`."""
    import re2  # noqa: PLC0415  2 MB that a server does without until somebody writes a regex

    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise RegexError(_as_go_says(reason)) from error


def _as_go_says(reason: str) -> str:
    """The reason in the words of Go's regexp/syntax, which RE2 says a little differently."""
    code, _, quoted = reason.partition(": ")
    return f"error parsing regexp: {_GO_WORDS.get(code, code)}: `{quoted}`"


_GO_WORDS: Final = {
    "bad repetition operator": "invalid nested repetition operator",
    "invalid named capture group": "invalid named capture",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid repetition size": "invalid repeat count",
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "trailing \\": "trailing backslash at end of expression",
}
