"""The times of a query that is worked on here, not only by the server."""

import argparse

from miniprom.api.params import parse_duration_or_seconds_ms, parse_time_ms
from miniprom.cli.query import QueryFailedError, window_parameters
from query import QueryWindow


def query_window(options: argparse.Namespace, now_ms: int) -> QueryWindow:
    """The steps that the options ask for, without any those at `now_ms`. Raises `QueryFailedError`."""
    times = window_parameters(options)
    try:
        if "step" not in times:
            time_ms = parse_time_ms(times["time"]) if "time" in times else now_ms
            return QueryWindow(time_ms, time_ms, 0)
        window = QueryWindow(
            parse_time_ms(times["start"]),
            parse_time_ms(times["end"]),
            int(parse_duration_or_seconds_ms(times["step"])),
        )
    except ValueError as error:
        raise QueryFailedError(str(error)) from error
    if window.step_ms <= 0 or window.end_ms < window.start_ms:
        raise QueryFailedError("a range needs a step above 0, and an --end that is not before its --start")
    return window
