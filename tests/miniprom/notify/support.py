"""A receiver that tests look into."""

import asyncio
from collections.abc import Mapping
from typing import Any

from miniprom.notify.errors import DeliveryError
from miniprom.rules import Alert
from tsdb import labels_from


class RecordingPoster:
    """Keeps what is posted; fails while `failure` is set."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []
        self.failure: DeliveryError | None = None
        self.attempts = 0

    async def post(self, url: str, message: Any, timeout_ms: int) -> None:
        self.attempts += 1
        if self.failure:
            raise self.failure
        self.posted.append((url, message))

    async def close(self) -> None:
        pass

    def names(self) -> list[list[str]]:
        """The alerts of each message."""
        return [[alert["labels"]["alertname"] for alert in message] for _, message in self.posted]


async def settle() -> None:
    """Let tasks that wait for nothing but each other go on."""
    for _ in range(20):
        await asyncio.sleep(0)


def alert(
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    starts_at_ms: int = 0,
    ends_at_ms: int = 240_000,
    summary: str = "",
) -> Alert:
    """An alert; it fires until `ends_at_ms`."""
    annotations = {"summary": summary} if summary else {}
    url = "http://prometheus/graph?g0.expr=up&g0.tab=1"
    return Alert(
        labels_from({"alertname": name, **(labels or {})}), annotations, starts_at_ms, ends_at_ms, url
    )
