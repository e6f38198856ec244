"""Stores in the notation of scripts, and what is found in them."""

from miniprom.promqltest.loading import load
from miniprom.promqltest.parser import parse_script
from miniprom.promqltest.statements import Load
from query import Engine, EngineOptions, QueryWindow
from query.language import EVERYTHING
from query.why import Diagnosis, Finding
from tsdb import Store

ENGINE = Engine(EngineOptions(parser=EVERYTHING))


def store_of(series: str, interval: str = "1m") -> Store:
    """A store with lines of series, their first samples at the time 0."""
    store = Store(retention_ms=None)
    lines = "\n".join(f"  {line.strip()}" for line in series.strip().splitlines())
    for statement in parse_script(f"load {interval}\n{lines}\n", "samples").statements:
        assert isinstance(statement, Load)
        load(store, statement)
    return store


def diagnosis(store: Store, query: str, seconds: float) -> Diagnosis:
    """What is found of an instant query."""
    time_ms = int(seconds * 1000)
    return ENGINE.why(store.snapshot(time_ms), query, QueryWindow(time_ms, time_ms, 0))


def cause(store: Store, query: str, seconds: float = 600) -> Finding:
    """The one finding of an instant query whose answer is empty."""
    found = diagnosis(store, query, seconds)
    assert found.empty
    (finding,) = found.findings
    return finding


def told(store: Store, query: str, seconds: float = 600) -> tuple[str, str, str]:
    """The kind, the expression and the text of the one finding."""
    finding = cause(store, query, seconds)
    return finding.kind.value, finding.expr, finding.text
