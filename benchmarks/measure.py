"""Timing and tables."""

import statistics
import time
from collections.abc import Callable, Sequence


def median_seconds(run: Callable[[], object], *, repeat: int = 7) -> float:
    """The median time of `repeat` calls, after one untimed."""
    run()
    return statistics.median(_seconds(run) for _ in range(repeat))


def interleaved(runs: Sequence[Callable[[], object]], *, repeat: int = 7) -> list[float]:
    """The median time of each, measured in turns (A B A B), so that noise falls on all alike."""
    for run in runs:
        run()
    rounds = [[_seconds(run) for run in runs] for _ in range(repeat)]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns aligned: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    print(f"\n{title}")
    for row in [header, *rows]:
        cells = (
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "  ".join(cells))


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def times(ours: float, theirs: float) -> str:
    """How many times as long as ours theirs is."""
    return f"{theirs / ours:.2f} x"
