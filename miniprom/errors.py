"""Errors of the program; all derive from `MinipromError`."""


class MinipromError(Exception):
    """Base of every error that `miniprom` raises. Its text is meant for the person who runs the program."""
