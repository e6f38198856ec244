"""The control API of `miniprom fake`: JSON under `/-/fake/`."""

import json
from collections.abc import Mapping
from typing import Any, Final

from miniprom.testing.errors import RefusedError, UnreachableError
from miniprom.testing.transport import Transport

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here

_JSON: Final = {"Content-Type": "application/json"}
_TENANT: Final = "X-Scope-OrgID"


class Control:
    """Requests to one fake, or to one tenant of it."""

    def __init__(self, transport: Transport, tenant: str | None = None) -> None:
        self._transport = transport
        self._headers = {**_JSON, **({_TENANT: tenant} if tenant else {})}

    def ask(self, method: str, what: str, body: Mapping[str, Any] | None = None) -> Any:
        """The `data` of the answer. Raises `RefusedError`, `UnreachableError`."""
        content = None if body is None else json.dumps(body).encode()
        response = self._transport.request(method, f"/-/fake/{what}", content, self._headers)
        try:
            answer = json.loads(response.body)
            if answer["status"] == "success":
                return answer.get("data")
            text = answer["error"]
        except (ValueError, KeyError, TypeError) as error:
            shown = response.body[:200].decode(errors="replace").strip()
            raise UnreachableError(
                f"{method} /-/fake/{what}: HTTP {response.status}, not an answer of miniprom fake: {shown}"
            ) from error
        raise RefusedError(text)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
