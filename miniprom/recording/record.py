"""From queries to a recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collector.errors import UnitError
from collector.units import parse_duration_ms
from miniprom.errors import MinipromError
from miniprom.recording.capture import Ask, Capture
from miniprom.recording.file import Answer, Recording
from query import Engine, EngineOptions, QueryWindow
from query.language import EVERYTHING

_DEFAULT_LOOKBACK_MS: Final = 300_000


@dataclass(frozen=True)
class Wanted:
    """A query, when it is asked, and whether its answer is kept beside the series that it reads."""

    query: str
    window: QueryWindow
    keeps_answer: bool = True


@dataclass(frozen=True)
class Recorded:
    """A recording, and how many samples are not in it because they are native histograms."""

    recording: Recording
    left_out: int


def record(ask: Ask, server: str, wanted: Sequence[Wanted]) -> Recorded:
    """Ask a server for all that the queries read, and for their answers.

    Raises `ParseError`, `PlanError`, `RecordingError`, and what `ask` raises. Requires: a query.
    """
    lookback_ms = lookback_of(ask)
    engine = Engine(EngineOptions(lookback_ms=lookback_ms, parser=EVERYTHING))
    reads = [read for each in wanted for read in engine.reads(each.query, each.window)]
    answers = [_answer(ask, each) for each in wanted if each.keeps_answer]
    capture = Capture(ask, lookback_ms)
    for read in reads:
        capture.read(read)
    now_ms = max(each.window.end_ms for each in wanted)
    return Recorded(Recording(server, now_ms, capture.samples(), answers), capture.left_out)


def lookback_of(ask: Ask) -> int:
    """How far back the server's instant selectors look."""
    try:
        flags = ask("status/flags", {})
        return parse_duration_ms(flags["query.lookback-delta"])
    except (MinipromError, UnitError, KeyError, TypeError):
        return _DEFAULT_LOOKBACK_MS  # only Prometheus and we tell


def _answer(ask: Ask, wanted: Wanted) -> Answer:
    window = wanted.window
    start, end = (f"{time_ms / 1000:.3f}" for time_ms in (window.start_ms, window.end_ms))
    if window.step_ms:
        times = {"start": start, "end": end, "step": f"{window.step_ms / 1000:.3f}"}
        data = ask("query_range", {"query": wanted.query, **times})
    else:
        data = ask("query", {"query": wanted.query, "time": start})
    kept = {"resultType": data["resultType"], "result": data["result"]}
    return Answer(wanted.query, window.start_ms, window.end_ms, window.step_ms, kept)
