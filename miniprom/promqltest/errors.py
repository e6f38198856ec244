"""Errors of test scripts."""

from miniprom.errors import MinipromError


class ScriptError(MinipromError, ValueError):
    """A script that says something the format does not know; the message begins with file:line."""


class NotationError(MinipromError, ValueError):
    """A line that is no `name{labels} values`; whoever knows the line's place puts it in front."""
