"""What was asked of a world, and how it was answered."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from miniprom.api.watch import Evaluation
from miniprom.fake.asked import Asked
from miniprom.fake.readings import NOTHING_READ, readings

MAX_ENTRIES: Final = 10_000
MAX_BYTES: Final = 32 << 20
SHOWN_RESPONSE: Final = 4096
_ENTRY_BYTES: Final = 1500
_MAX_PENDING: Final = 50
"""Entries whose snapshots are kept until somebody reads what they say."""


@dataclass
class Entry:
    """A request and its answer. What the query read is found out when it is asked for."""

    id: int
    time_ms: int
    wall_ms: float
    method: str
    path: str
    params: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    tenant: str
    status: int
    body: bytes
    """Uncompressed, and no longer than is shown."""
    failure: "Failure | None"
    fault: int | None
    asked: Asked | None
    evaluation: Evaluation | None
    _read: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def size_bytes(self) -> int:
        return _ENTRY_BYTES + len(self.body) + (4 * len(self.asked.text) if self.asked else 0)

    @property
    def user_agent(self) -> str:
        return next((value for name, value in self.headers.items() if name.lower() == "user-agent"), "")

    def settle(self) -> None:
        """Find out what is not known yet, and let go of the snapshot."""
        evaluation = self.evaluation  # before the rest: another thread that settles drops it last
        if self._read is None:
            self._read = NOTHING_READ if evaluation is None else readings(evaluation)
            self.evaluation = None

    def as_json(self) -> dict[str, Any]:
        """As the control API shows it. May take as long as the query did: call it in a worker."""
        self.settle()
        asked = self.asked
        return {
            "id": self.id,
            "time": self.time_ms / 1000,
            "wall_ms": round(self.wall_ms, 3),
            "method": self.method,
            "path": self.path,
            "params": {name: texts[0] if len(texts) == 1 else texts for name, texts in self.params.items()},
            "query": asked and asked.text,
            "parsed": asked and asked.parsed,
            "kind": asked and asked.kind,
            "status": self.status,
            "error_type": self.failure and self.failure.error_type,
            "error": self.failure and self.failure.text,
            **(self._read or {}),
            "response": self.body.decode(errors="replace"),
            "fault": self.fault,
            "tenant": self.tenant,
            "headers": self.headers,
        }


@dataclass(frozen=True)
class Failure:
    """What an answer says of its error."""

    error_type: str | None
    text: str


class Journal:
    """The newest entries, oldest first; the numbers go on when it is emptied."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._pending: deque[Entry] = deque()
        self._bytes = 0
        self._last_id = 0

    def __len__(self) -> int:
        return len(self._entries)

    def next_id(self) -> int:
        """A number for another entry."""
        self._last_id += 1
        return self._last_id

    def add(self, entry: Entry) -> None:
        """Note a request; forget the oldest where there are too many."""
        self._entries.append(entry)
        self._bytes += entry.size_bytes
        while len(self._entries) > MAX_ENTRIES or self._bytes > MAX_BYTES:
            self._bytes -= self._entries.popleft().size_bytes
        if entry.evaluation is not None:
            self._pending.append(entry)
        if len(self._pending) > _MAX_PENDING:
            self._pending.popleft().settle()

    def since(self, entry_id: int) -> list[Entry]:
        """The entries after that of a number."""
        return [entry for entry in self._entries if entry.id > entry_id]

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()
        self._pending.clear()
        self._bytes = 0
