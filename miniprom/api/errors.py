"""What the API answers when it can't: error types, their status codes, and which exception is which."""

from enum import Enum

from miniprom.errors import MinipromError
from query.errors import ParseError, QueryError
from query.execution.errors import QueryCanceledError, QueryTimeoutError
from tsdb import TsdbError


class ErrorType(Enum):
    """The `errorType` of an envelope and its HTTP status (upstream api.go getDefaultErrorCode)."""

    BAD_DATA = ("bad_data", 400)
    EXECUTION = ("execution", 422)
    CANCELED = ("canceled", 499)
    TIMEOUT = ("timeout", 503)
    INTERNAL = ("internal", 500)
    UNAVAILABLE = ("unavailable", 500)
    NOT_FOUND = ("not_found", 404)
    NOT_ACCEPTABLE = ("not_acceptable", 406)

    def __init__(self, label: str, status: int) -> None:
        self.label = label
        self.status = status


class ApiError(MinipromError):
    """An error with a type of its own."""

    def __init__(self, error_type: ErrorType, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class BadParameterError(ApiError):
    """A parameter that can't be read."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(ErrorType.BAD_DATA, f'invalid parameter "{name}": {reason}')


_ERROR_TYPES: tuple[tuple[type[Exception], ErrorType], ...] = (
    (ParseError, ErrorType.BAD_DATA),
    (QueryTimeoutError, ErrorType.TIMEOUT),
    (QueryCanceledError, ErrorType.CANCELED),
    (QueryError, ErrorType.EXECUTION),
    (TsdbError, ErrorType.EXECUTION),
)


def error_type_of(error: Exception) -> ErrorType:
    """The type of an error that a handler let through; what nobody declared is internal."""
    if isinstance(error, ApiError):
        return error.error_type
    return next((kind for base, kind in _ERROR_TYPES if isinstance(error, base)), ErrorType.INTERNAL)
