"""What a middleware may learn of a request beside its answer. Nobody watches unless one says so."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from query import Engine, QueryWindow, Result
from tsdb import Snapshot

if TYPE_CHECKING:
    from miniprom.api.params import Params


@dataclass(frozen=True)
class Evaluation:
    """How a query was answered."""

    query: str
    engine: Engine
    snapshot: Snapshot
    window: QueryWindow
    result: Result


@dataclass
class Watch:
    """One request. Answers to watched requests are not streamed, so that they can be read."""

    params: "Params | None" = None
    """Once they were read: a body can be read once only."""
    evaluation: Evaluation | None = None


WATCH: Final[ContextVar[Watch | None]] = ContextVar("watch", default=None)
