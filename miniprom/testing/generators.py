"""Values from a formula, for `FakePrometheus.load`: they fill the time from start to end, else two hours.

The server computes them; docs/architecture.md has the formulas. `over` and rates take numbers or generators:

    load({"requests_total": outage(counter(sine("10m", mean=50, amplitude=20)), "-30m", "-20m")})
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from miniprom.testing.times import Duration, Time, duration_on_wire, time_on_wire


@dataclass(frozen=True)
class Generator:
    """A formula. Make one with a function of this module."""

    name: str
    fields: Mapping[str, Any]

    def on_wire(self) -> dict[str, Any]:
        """As the control API takes it."""
        return {"generator": self.name, **{name: _on_wire(value) for name, value in self.fields.items()}}


@dataclass(frozen=True)
class Distribution:
    """How observations are spread. Make one with `normal`, `lognormal`, `uniform` or `exponential`."""

    name: str
    parameters: Mapping[str, float]


Signal: TypeAlias = float | Generator


def ramp(first: float = 0.0, last: float | None = None, *, per_second: float | None = None) -> Generator:
    """Straight from `first` to `last`, or from `first` on by `per_second`."""
    return _generator("ramp", first=first, last=last, per_second=per_second)


def sine(period: Duration, *, mean: float = 0.0, amplitude: float = 1.0, phase: Duration = 0.0) -> Generator:
    """A wave around `mean`, which begins there and rises."""
    return _generator(
        "sine", period=duration_on_wire(period), mean=mean, amplitude=amplitude, phase=duration_on_wire(phase)
    )


def noise(
    deviation: float = 1.0, *, mean: float = 0.0, seed: int = 0, over: Signal | None = None
) -> Generator:
    """Normally distributed, added to `over`; the same for the same seed. Series of a template differ."""
    return _generator("noise", deviation=deviation, mean=mean, seed=seed, over=over)


def counter(
    per_second: Signal = 1.0,
    *,
    first: float = 0.0,
    reset_every: Duration | None = None,
    resets: Sequence[Time] | None = None,
) -> Generator:
    """Counts at a rate; begins again at zero every so often, or at these times."""
    return _generator(
        "counter",
        per_second=per_second,
        first=first,
        reset_every=None if reset_every is None else duration_on_wire(reset_every),
        resets=None if resets is None else [time_on_wire(time) for time in resets],
    )


def histogram(
    distribution: Distribution,
    *,
    per_second: float = 1.0,
    buckets: Sequence[float] | None = None,
    native: bool = False,
    schema: int | None = None,
) -> Generator:
    """A histogram of so many observations a second: `_bucket`, `_sum` and `_count`, or one that is native."""
    return _generator(
        "histogram",
        distribution=distribution.name,
        **distribution.parameters,
        per_second=per_second,
        buckets=None if buckets is None else list(buckets),
        native=native,
        schema=schema,
    )


def outage(over: Signal, start: Time, end: Time, *, stale: bool = True) -> Generator:
    """`over`, but nothing from start to end; `stale`: a scraper saw it go."""
    return _generator("outage", over=over, start=time_on_wire(start), end=time_on_wire(end), stale=stale)


def flapping(
    up: Duration,
    down: Duration,
    *,
    high: float = 1.0,
    low: float = 0.0,
    over: Signal | None = None,
    stale: bool = True,
) -> Generator:
    """By turns `high` and `low`, or, with `over`, that and nothing."""
    return _generator(
        "flapping",
        up=duration_on_wire(up),
        down=duration_on_wire(down),
        high=high,
        low=low,
        over=over,
        stale=stale,
    )


def normal(mean: float, deviation: float) -> Distribution:
    """The normal distribution."""
    return Distribution("normal", {"mean": mean, "deviation": deviation})


def lognormal(median: float, sigma: float) -> Distribution:
    """As latencies are: half below the median, a long tail."""
    return Distribution("lognormal", {"median": median, "sigma": sigma})


def uniform(low: float, high: float) -> Distribution:
    """Evenly between the two."""
    return Distribution("uniform", {"low": low, "high": high})


def exponential(mean: float) -> Distribution:
    """The exponential distribution."""
    return Distribution("exponential", {"mean": mean})


def _generator(name: str, **fields: Any) -> Generator:
    return Generator(name, {field: value for field, value in fields.items() if value is not None})


def _on_wire(value: Any) -> Any:
    return value.on_wire() if isinstance(value, Generator) else value
