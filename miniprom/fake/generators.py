"""Values from formulas: the generators that loading knows. Pure: times come in, values come out.

Each is a frozen dataclass, read from its JSON object by `read_signal`. `values(times_ms, number)` is
float64[row], ABSENT where there is no sample; `number` tells the series of a template apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from miniprom.fake.errors import FakeError
from miniprom.fake.fields import Fields, number, shown
from tsdb import ABSENT, STALE, is_absent, is_stale
from tsdb.sample import BoolArray, FloatArray, IntArray


class Signal(Protocol):
    """Something with a value at each time."""

    def values(self, times_ms: IntArray, number: int) -> FloatArray:
        """float64[row]."""
        ...


@dataclass(frozen=True)
class Constant:
    value: float

    def values(self, times_ms: IntArray, number: int) -> FloatArray:  # noqa: ARG002  the same for all
        return np.full(len(times_ms), self.value)


@dataclass(frozen=True)
class Ramp:
    """From `first` to `last` over the times, or by `per_second`."""

    first: float
    last: float | None
    per_second: float

    def values(self, times_ms: IntArray, number: int) -> FloatArray:  # noqa: ARG002  the same for all
        seconds = _seconds(times_ms)
        if self.last is None:
            return self.first + self.per_second * seconds
        return self.first + (self.last - self.first) * (seconds / (seconds[-1] or 1.0))


@dataclass(frozen=True)
class Sine:
    mean: float
    amplitude: float
    period_ms: int
    phase_ms: int

    def values(self, times_ms: IntArray, number: int) -> FloatArray:  # noqa: ARG002  the same for all
        turns = ((times_ms - times_ms[0] + self.phase_ms) % self.period_ms) / self.period_ms
        values: FloatArray = self.mean + self.amplitude * np.sin(2 * np.pi * turns)
        return values


@dataclass(frozen=True)
class Noise:
    """Normally distributed, and the same again for the same seed."""

    mean: float
    deviation: float
    seed: int
    over: Signal | None

    def values(self, times_ms: IntArray, number: int) -> FloatArray:
        noise = np.random.default_rng(self.seed + number).normal(self.mean, self.deviation, len(times_ms))
        return noise if self.over is None else _kept(self.over.values(times_ms, number), noise)


@dataclass(frozen=True)
class Counter:
    """Counts at the rate that `per_second` has at the end of each interval; negative ones count nothing."""

    per_second: Signal
    first: float
    reset_every_ms: int | None
    resets_ms: tuple[int, ...]

    def values(self, times_ms: IntArray, number: int) -> FloatArray:
        rates = self.per_second.values(times_ms, number)
        rates = np.where(np.isfinite(rates), np.maximum(rates, 0.0), 0.0)
        counted = np.cumsum(rates * np.diff(times_ms, prepend=times_ms[:1]) / 1000)
        resets_ms = self._resets(times_ms)
        # Of each row: which reset was the last before it, and what had been counted until then.
        last = np.searchsorted(resets_ms, times_ms, side="right") - 1
        rows = np.searchsorted(times_ms, resets_ms)
        until = counted[rows] - rates[rows] * (times_ms[rows] - resets_ms) / 1000
        return np.where(last < 0, self.first + counted, counted - until[last] if len(until) else 0.0)

    def _resets(self, times_ms: IntArray) -> IntArray:
        """Those between the first time and the last, ascending."""
        resets_ms = np.array(sorted(set(self.resets_ms)), dtype=np.int64)
        if self.reset_every_ms is not None:
            every = np.arange(times_ms[0], times_ms[-1] + 1, self.reset_every_ms, dtype=np.int64)
            resets_ms = np.union1d(resets_ms, every[1:])
        within: IntArray = resets_ms[(resets_ms > times_ms[0]) & (resets_ms <= times_ms[-1])]
        return within


@dataclass(frozen=True)
class Outage:
    """`over`, but nothing from `start_ms` to `end_ms`, both included; with a stale marker as it begins."""

    over: Signal
    start_ms: int
    end_ms: int
    is_marked: bool

    def values(self, times_ms: IntArray, number: int) -> FloatArray:
        gone = (times_ms >= self.start_ms) & (times_ms <= self.end_ms)
        return _without(self.over.values(times_ms, number), gone, is_marked=self.is_marked)


@dataclass(frozen=True)
class Flapping:
    """Up and down by turns: `high` and `low`, or `over` and nothing."""

    up_ms: int
    down_ms: int
    high: float
    low: float
    over: Signal | None
    is_marked: bool

    def values(self, times_ms: IntArray, number: int) -> FloatArray:
        is_down = (times_ms - times_ms[0]) % (self.up_ms + self.down_ms) >= self.up_ms
        if self.over is None:
            return np.where(is_down, self.low, self.high)
        return _without(self.over.values(times_ms, number), is_down, is_marked=self.is_marked)


def read_signal(value: object, where: str, now_ms: int) -> Signal:
    """A number, or the generator that an object describes. Raises `FakeError`."""
    if not isinstance(value, dict):
        try:
            return Constant(number(value))
        except ValueError as error:
            raise FakeError(f"{where}: expected a number or a generator, got {shown(value)}") from error
    known, read = _SIGNALS[Fields(value, where, now_ms, value).one_of("generator", _SIGNALS)]
    return read(Fields(value, where, now_ms, ("generator", *known)))


def is_seeded(value: object) -> bool:
    """Whether a generator differs from series to series of a template."""
    if not isinstance(value, dict):
        return False
    return value.get("generator") == "noise" or any(map(is_seeded, value.values()))


def _ramp(fields: Fields) -> Signal:
    if ("last" in fields) == ("per_second" in fields):
        raise FakeError(f'{fields.where}: expected one of "last" and "per_second"')
    last = fields.number("last") if "last" in fields else None
    return Ramp(fields.number("first", 0.0), last, fields.number("per_second", 0.0))


def _sine(fields: Fields) -> Signal:
    phase_ms = fields.duration_ms("phase", 0, least_ms=0)
    period_ms = fields.duration_ms("period")
    return Sine(fields.number("mean", 0.0), fields.number("amplitude", 1.0), period_ms, phase_ms)


def _noise(fields: Fields) -> Signal:
    deviation = fields.number("deviation", 1.0)
    if not deviation >= 0 or deviation == np.inf:
        raise fields.wrong("deviation", "a number of at least 0")
    return Noise(fields.number("mean", 0.0), deviation, fields.whole("seed", 0), _signal(fields, "over"))


def _counter(fields: Fields) -> Signal:
    rate = _signal(fields, "per_second") or Constant(1.0)
    every_ms = fields.duration_ms("reset_every") if "reset_every" in fields else None
    return Counter(rate, fields.number("first", 0.0), every_ms, tuple(fields.times_ms("resets")))


def _outage(fields: Fields) -> Signal:
    over = _signal(fields, "over")
    if over is None:
        raise fields.wrong("over", "a number or a generator")
    start_ms, end_ms = fields.time_ms("start"), fields.time_ms("end")
    if end_ms < start_ms:
        raise fields.wrong("end", "a time that is not before start")
    return Outage(over, start_ms, end_ms, fields.flag("stale", True))


def _flapping(fields: Fields) -> Signal:
    return Flapping(
        fields.duration_ms("up"),
        fields.duration_ms("down"),
        fields.number("high", 1.0),
        fields.number("low", 0.0),
        _signal(fields, "over"),
        fields.flag("stale", True),
    )


_SIGNALS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Fields], Signal]]]] = {
    "ramp": (("first", "last", "per_second"), _ramp),
    "sine": (("mean", "amplitude", "period", "phase"), _sine),
    "noise": (("mean", "deviation", "seed", "over"), _noise),
    "counter": (("per_second", "first", "reset_every", "resets"), _counter),
    "outage": (("over", "start", "end", "stale"), _outage),
    "flapping": (("up", "down", "high", "low", "over", "stale"), _flapping),
}


def _signal(fields: Fields, name: str) -> Signal | None:
    if name not in fields:
        return None
    return read_signal(fields.any(name), f"{fields.where}.{name}", fields.now_ms)


def _seconds(times_ms: IntArray) -> FloatArray:
    seconds: FloatArray = (times_ms - times_ms[0]) / 1000
    return seconds


def _kept(values: FloatArray, added: FloatArray) -> FloatArray:
    """The sum, where there is a value to add to."""
    there = ~(is_absent(values) | is_stale(values))
    values[there] += added[there]
    return values


def _without(values: FloatArray, gone: BoolArray, *, is_marked: bool) -> FloatArray:
    """The values but those that are gone; with a stale marker where each gap begins behind a sample."""
    left = np.where(gone, ABSENT, values)
    if is_marked:
        begins = gone[1:] & ~gone[:-1] & ~is_absent(values[:-1])
        left[1:][begins] = STALE
    return left
