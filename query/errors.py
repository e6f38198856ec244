"""Errors of the query language and engine; all derive from `QueryError`."""


class QueryError(Exception):
    """Base of every error that `query` raises."""
