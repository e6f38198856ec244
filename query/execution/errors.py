"""Errors of evaluation. Their texts' meaning follows upstream's promql/engine.go."""

from query.errors import QueryError


class EvaluationError(QueryError):
    """An expression that parses but can't be evaluated on this data, such as a many-to-many match."""


class UnsupportedError(EvaluationError):
    """A feature of PromQL that the engine does not evaluate; the message names it."""


class LimitError(QueryError):
    """Base of the errors that stop a query from outside."""


class QueryTimeoutError(LimitError):
    """The time a query may take is over; `where` says what it was doing, as upstream's contextErr."""

    def __init__(self, where: str = "expression evaluation") -> None:
        super().__init__(f"query timed out in {where}")


class QueryCanceledError(LimitError):
    """The client went away, or the server shuts down."""

    def __init__(self, where: str = "expression evaluation") -> None:
        super().__init__(f"query was canceled in {where}")


class TooManySamplesError(LimitError):
    """The query would hold more samples than `EngineOptions.max_samples` at once."""

    def __init__(self) -> None:
        super().__init__("query processing would load too many samples into memory in query execution")
