"""What can go wrong between a test and its server."""

from miniprom.errors import MinipromError


class TestingError(MinipromError):
    """Base of every error of `miniprom.testing`."""

    __test__ = False  # its name starts like a test's


class UnreachableError(TestingError):
    """No answer from the server, or one that is not of its API."""


class RefusedError(TestingError):
    """The server refused a request to its control API: what, where, and what it expected."""


class QueryError(TestingError):
    """The API answered with an error: `status` (HTTP), `error_type` as in `bad_data`, and the text."""

    def __init__(self, status: int, error_type: str, text: str, query: str) -> None:
        super().__init__(f"{status} {error_type}: {text}\n  query: {query}")
        self.status = status
        self.error_type = error_type
        self.text = text
        self.query = query


class ResultError(TestingError):
    """An answer that is not what was asked of it, such as the scalar of two series."""


class ServerDiedError(TestingError):
    """The server's process ended: how, and its last words."""
