"""The kinds of faults, in a table: what each is about, and the fields that it has. Pure."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from miniprom.fake.errors import FakeError
from miniprom.fake.fields import Fields

Settings = Mapping[str, Any]

_WHEN: Final = ("times", "after", "probability", "seed")
WHICH: Final[Mapping[str, tuple[str, ...]]] = {
    "requests": ("path", "query", "query_matches", *_WHEN),
    "targets": ("job", "instance", *_WHEN),
    "port": (),
}
"""The fields that say when a fault comes to pass, by what it is about."""


@dataclass(frozen=True)
class Kind:
    """A kind: what it is about, its own fields, and how they are read."""

    of: Literal["requests", "targets", "port"] = "requests"
    names: tuple[str, ...] = ()
    read: Callable[[Fields], Settings] = lambda _: {}


def _error(fields: Fields) -> Settings:
    status = fields.whole("status", 503, least=400)
    if status > 599:
        raise fields.wrong("status", "a status from 400 to 599")
    error_type = fields.text("error_type", _ERROR_TYPES.get(status, "internal"))
    return {"status": status, "error_type": error_type, "error": fields.text("error", "injected")}


def _latency(fields: Fields) -> Settings:
    """`seconds()` is how long the next request is to wait."""
    delay = fields.any("seconds")
    if not isinstance(delay, dict):
        seconds = fields.duration_ms("seconds", least_ms=0) / 1000
        return {"seconds": lambda: seconds}
    names = {name for parameters, _ in _DELAYS.values() for name in parameters}
    inner = Fields(delay, f"{fields.where}.seconds", fields.now_ms, ("distribution", "seed", *names))
    parameters, draw = _DELAYS[inner.one_of("distribution", _DELAYS)]
    values = [inner.number(name) for name in parameters]
    if not all(0 <= value < math.inf for value in values):
        raise FakeError(f"{inner.where}: expected {' and '.join(parameters)} of at least 0")
    chance = random.Random(inner.whole("seed", 0))
    return {"seconds": lambda: max(draw(chance, *values), 0.0)}


def _lognormal(chance: random.Random, median: float, sigma: float) -> float:
    return median * math.exp(chance.gauss(0.0, sigma))


def _exponential(chance: random.Random, mean: float) -> float:
    return chance.expovariate(1.0) * mean


_DELAYS: Final[Mapping[str, tuple[tuple[str, ...], Callable[..., float]]]] = {
    "normal": (("mean", "deviation"), random.Random.gauss),
    "lognormal": (("median", "sigma"), _lognormal),
    "uniform": (("low", "high"), random.Random.uniform),
    "exponential": (("mean",), _exponential),
}
"""Parameters, in seconds but for sigma, and how a delay is drawn."""
_ERROR_TYPES: Final = {400: "bad_data", 404: "not_found", 422: "execution", 503: "unavailable"}


def _truncate(fields: Fields) -> Settings:
    return {"bytes": fields.whole("bytes", 20)}


def _refuse(fields: Fields) -> Settings:
    """`seconds` is None where it lasts until it is removed."""
    return {"seconds": fields.duration_ms("seconds") / 1000 if "seconds" in fields else None}


def _extra_series(fields: Fields) -> Settings:
    return {"labels": fields.text_by_name("labels"), "value": fields.number("value", 1.0)}


def _warnings(fields: Fields) -> Settings:
    texts = {"warnings": fields.texts("warnings"), "infos": fields.texts("infos")}
    if not any(texts.values()):
        raise FakeError(f'{fields.where}: expected texts in "warnings" or "infos"')
    return texts


KINDS: Final[Mapping[str, Kind]] = {
    "error": Kind(names=("status", "error_type", "error"), read=_error),
    "latency": Kind(names=("seconds",), read=_latency),
    "hang": Kind(),
    "truncate": Kind(names=("bytes",), read=_truncate),
    "malformed": Kind(),
    "reset": Kind(),
    "refuse": Kind("port", ("seconds",), _refuse),
    "empty": Kind(),
    "nan": Kind(),
    "extra_series": Kind(names=("labels", "value"), read=_extra_series),
    "warnings": Kind(names=("warnings", "infos"), read=_warnings),
    "target_down": Kind("targets"),
    "target_slow": Kind("targets"),
    "target_counter_reset": Kind("targets"),
    "target_garbage": Kind("targets"),
}
