"""Errors of the store; all derive from `TsdbError`."""


class TsdbError(Exception):
    """Base of every error that `tsdb` raises."""


class BadMatcherError(TsdbError, ValueError):
    """A label matcher that can't be evaluated, such as one with an invalid regular expression."""


class RegexError(TsdbError, ValueError):
    """A text that RE2 does not take for a regular expression; the message says why."""


class IncompatibleHistogramsError(TsdbError, ValueError):
    """Two native histograms that can't be combined: one has exponential buckets, the other custom ones."""


class FolderLockedError(TsdbError):
    """A folder of the log that another process has open."""
