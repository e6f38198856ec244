"""A client of any Prometheus: what a test asks of a real server as of a fake."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from miniprom.testing.errors import QueryError, TestingError, UnreachableError
from miniprom.testing.results import Matrix, Result, result_from_json
from miniprom.testing.times import Duration, Time, seconds_of, unix_seconds
from miniprom.testing.transport import Transport

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Prometheus:
    """One server. Close it at the end, or use it in a `with` statement."""

    def __init__(self, url: str, *, timeout: float = 30.0, headers: Mapping[str, str] | None = None) -> None:
        """`timeout` in seconds for each request. Raises `TestingError` for what is no URL."""
        self.url = url.rstrip("/")
        self._transport = Transport(self.url, timeout=timeout, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def now(self) -> float:
        """What the server takes for now, in unix seconds."""
        return self.query("time()").scalar()

    def query(self, query: str, at: Time | None = None) -> Result:
        """The answer to a query at a time, which is now if none is given.

        Raises `QueryError` if the server refuses it, `UnreachableError`.
        """
        parameters = {"query": query}
        if at is not None:
            parameters["time"] = repr(unix_seconds(at, self.now))
        answer = self._ask("query", parameters, query)
        return _result(answer, query, partial(self._why, parameters))

    def query_range(self, query: str, start: Time, end: Time | None = None, step: Duration = "15s") -> Matrix:
        """The answers to a query from start to end, which is now if none is given. Raises as `query` does."""
        parameters = {
            "query": query,
            "start": repr(unix_seconds(start, self.now)),
            "end": repr(unix_seconds("now" if end is None else end, self.now)),
            "step": repr(seconds_of(step)),
        }
        result = _result(self._ask("query_range", parameters, query), query, partial(self._why, parameters))
        if not isinstance(result, Matrix):
            raise UnreachableError(f"{self.url}: query_range answered with a {type(result).__name__.lower()}")
        return result

    def api(self, endpoint: str, parameters: Mapping[str, str | Sequence[str]] | None = None) -> Any:
        """The `data` of the answer of an endpoint, such as `api("series", {"match[]": "up"})`."""
        text = f"?{urlencode(parameters, doseq=True)}" if parameters else ""
        response = self._transport.request("GET", f"/api/v1/{endpoint}{text}")
        return self._answer(response.status, response.body, endpoint)["data"]

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are pending or firing, as the API tells them."""
        found: list[dict[str, Any]] = self.api("alerts")["alerts"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules of all groups, as the API tells them."""
        return [rule for group in self.api("rules")["groups"] for rule in group["rules"]]

    def _ask(self, endpoint: str, parameters: Mapping[str, str], query: str) -> dict[str, Any]:
        body = urlencode(parameters).encode()
        response = self._transport.request("POST", f"/api/v1/{endpoint}", body, _FORM)
        return self._answer(response.status, response.body, query)

    def _answer(self, status: int, body: bytes, query: str) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(body)
            if answer["status"] == "success":
                return answer
            error = QueryError(status, answer["errorType"], answer["error"], query)
        except (ValueError, KeyError, TypeError) as unexpected:
            shown = body[:200].decode(errors="replace").strip()
            raise UnreachableError(
                f"{self.url}: HTTP {status}, not an answer of Prometheus's API: {shown}"
            ) from unexpected
        raise error

    def _why(self, parameters: Mapping[str, str]) -> Sequence[str]:
        """Why an answer is empty; nothing where the server has no such endpoint."""
        try:
            return [finding["text"] for finding in self.api("why", parameters)["findings"]]
        except (TestingError, KeyError, TypeError):
            return ()


def _result(answer: dict[str, Any], query: str, why: partial[Sequence[str]]) -> Result:
    try:
        return result_from_json(answer, query, why)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UnreachableError(f"not an answer of Prometheus's API: {str(answer)[:200]}") from error
