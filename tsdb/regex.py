"""RE2, the regular expressions of Prometheus."""

from typing import Any

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
        raise RegexError(reason) from error
