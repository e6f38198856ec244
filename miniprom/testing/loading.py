"""Filling a fake: any notation, any time, all or nothing."""

import gzip
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final, SupportsFloat

from miniprom.testing.control import Control
from miniprom.testing.errors import TestingError
from miniprom.testing.generators import Generator
from miniprom.testing.samples import Samples, samples_on_wire
from miniprom.testing.times import Duration, Time, duration_on_wire, time_on_wire

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here

Values = str | SupportsFloat | Generator | Iterable[SupportsFloat | None]
"""promtool's notation such as "0+10x60" or "_ 1 stale", a generator such as `sine("10m")`, a number, or
several (None: no sample)."""

_LINE: Final = re.compile(r"""([^\s{"']*(?:\{(?:[^}"']|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')*\})?)\s+(\S.*)""")


@dataclass(frozen=True)
class Loaded:
    """What a request to load brought in; start and end in unix seconds, None without samples."""

    series: int
    samples: int
    start: float | None
    end: float | None


class Loading:
    """The methods of a fake that fill it."""

    _control: Control

    def load(
        self,
        series: Mapping[str, Values] | str,
        *,
        interval: Duration = "15s",
        start: Time | None = None,
        end: Time | None = None,
        count: int | None = None,
    ) -> Loaded:
        """Add series, their samples an interval apart and the last one now, or as start and end say.

        `series` maps each to its values, or is a text in promtool's notation with one series a line. With a
        count, `{i}` in a label's value runs from 0 to count - 1: 'up{pod="p-{i}"}'. So it does in notation.
        Raises `RefusedError`, and then has added nothing.
        """
        given = _lines(series) if isinstance(series, str) else series
        body: dict[str, Any] = {
            "series": {name: _values(values) for name, values in given.items()},
            "interval": duration_on_wire(interval),
        }
        if start is not None:
            body["start"] = time_on_wire(start)
        if end is not None:
            body["end"] = time_on_wire(end)
        if count is not None:
            body["count"] = count
        return self._load(body)

    def load_openmetrics(self, text: str, at: Time | None = None) -> Loaded:
        """Add a page in OpenMetrics or Prometheus's text format; samples without a time get `at`, or now."""
        return self._load({"openmetrics": text, **({} if at is None else {"at": time_on_wire(at)})})

    def load_samples(self, *samples: Samples) -> Loaded:
        """Add samples with times of their own, from lists or arrays."""
        return self._load({"samples": [samples_on_wire(series) for series in samples]})

    def load_script(self, script: str) -> Loaded:
        """Add what a promqltest script loads: `load 1m`, then one series a line."""
        return self._load({"script": script})

    def load_response(self, response: str | bytes | Mapping[str, Any], metric: str | None = None) -> Loaded:
        """Add the series of an answer that a real server gave; `metric` names those that have no name."""
        answer = response if isinstance(response, Mapping) else json.loads(response)
        return self._load({"response": answer, **({} if metric is None else {"metric": metric})})

    def load_recording(self, file: str | PathLike[str], move_to: Time | None = "now") -> Loaded:
        """Add what `miniprom record` saved, its end moved to a time; with None it stays where it was."""
        content = Path(file).read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        where = None if move_to is None else time_on_wire(move_to)
        return self._load({"recording": json.loads(content), "move_to": where})

    def _load(self, body: Mapping[str, Any]) -> Loaded:
        answer = self._control.ask("POST", "load", body)
        return Loaded(answer["series"], answer["samples"], answer["start"], answer["end"])


def _lines(text: str) -> dict[str, Values]:
    series: dict[str, Values] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _LINE.fullmatch(line)
        if not match or match[1] in series:
            problem = "stands there twice" if match else "expected a series and its values, as in up 1x9"
            raise TestingError(f"{line}: {problem}")
        series[match[1]] = match[2]
    return series


def _values(values: Values) -> Any:
    if isinstance(values, str):
        return values
    if isinstance(values, Generator):
        return values.on_wire()
    if isinstance(values, Iterable):
        return [_number(value) for value in values]
    return _number(values)


def _number(value: SupportsFloat | None) -> float | str | None:
    """As JSON has it: it knows no infinity. None is no sample."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TestingError(
            f"{value!r} is no value of a sample; expected a number, or None for none"
        ) from None
    return number if math.isfinite(number) else str(number)
