"""Native histograms as test scripts write them: `schema:1 sum:3 count:2 buckets:[1 0 1] offset:-1`."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from miniprom.promqltest.errors import NotationError
from query.language.literals import LiteralError, parse_number
from tsdb.histogram import CUSTOM_BUCKETS, MAX_SCHEMA, MIN_SCHEMA, Buckets, CounterReset, FloatHistogram
from tsdb.numbers import format_number

_FIELD: Final = re.compile(r"\s*(?P<name>\w+):(?P<value>\[[^\]]*\]|[^\s\[]+)")


@dataclass(frozen=True)
class StatedHistogram:
    """A histogram, and whether its text stated the counter reset hint."""

    histogram: FloatHistogram
    hint_is_stated: bool


def parse_histogram(text: str) -> StatedHistogram:
    """The histogram of what stands between double braces. Raises `NotationError`."""
    fields: dict[str, str] = {}
    end = 0
    while text[end:].strip():
        field = _FIELD.match(text, end)
        if field is None:
            raise NotationError(f"expected a field such as buckets:[5 10 7], got {text[end:].strip()!r}")
        name, end = field["name"], field.end()
        if name in fields:
            raise NotationError(f"field {name!r} is given twice in a histogram")
        if name not in _FIELDS:
            near = get_close_matches(name, _FIELDS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise NotationError(f"unknown field {name!r} in a histogram{hint}")
        fields[name] = field["value"]
    parsed = {name: _FIELDS[name](value) for name, value in fields.items()}
    return StatedHistogram(_built(parsed), "counter_reset_hint" in fields)


def format_histogram(histogram: FloatHistogram) -> str:
    """The histogram in the notation that `parse_histogram` reads, in double braces, zeros left out."""
    numbers = {
        "schema": histogram.schema,
        "count": histogram.count,
        "sum": histogram.sum,
        "z_bucket": histogram.zero_count,
        "z_bucket_w": histogram.zero_threshold,
    }
    parts = [f"{name}:{format_number(value)}" for name, value in numbers.items() if value]
    if histogram.uses_custom_buckets:
        parts.append(f"custom_values:{_list(histogram.custom_values)}")
    if histogram.counter_reset_hint is not CounterReset.UNKNOWN:
        parts.append(f"counter_reset_hint:{histogram.counter_reset_hint.value}")
    for prefix, side in (("", histogram.positive.compact()), ("n_", histogram.negative.compact())):
        if len(side):
            first, last = int(side.indexes[0]), int(side.indexes[-1])
            counts = dict(zip(side.indexes.tolist(), side.counts.tolist(), strict=True))
            parts += [f"{prefix}offset:{first}"] if first else []
            parts.append(f"{prefix}buckets:{_list(counts.get(i, 0.0) for i in range(first, last + 1))}")
    return "{{" + " ".join(parts) + "}}"


def _float(text: str) -> float:
    try:
        number = parse_number(text.lstrip("+-"))
    except LiteralError as error:
        raise NotationError(str(error)) from error
    return -number if text.startswith("-") else number


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise NotationError(f"expected a whole number, got {text!r}") from None


def _floats(text: str) -> tuple[float, ...]:
    if not text.startswith("["):
        raise NotationError(f"expected a list such as [5 10 7], got {text!r}")
    return tuple(_float(item) for item in text[1:-1].split())


def _hint(text: str) -> CounterReset:
    try:
        return CounterReset(text)
    except ValueError:
        expected = ", ".join(hint.value for hint in CounterReset)
        raise NotationError(f"expected one of {expected} as counter_reset_hint, got {text!r}") from None


_FIELDS: Final[dict[str, Callable[[str], Any]]] = {
    "schema": _int,
    "sum": _float,
    "count": _float,
    "z_bucket": _float,
    "z_bucket_w": _float,
    "custom_values": _floats,
    "buckets": _floats,
    "offset": _int,
    "n_buckets": _floats,
    "n_offset": _int,
    "counter_reset_hint": _hint,
}


def _built(fields: Mapping[str, Any]) -> FloatHistogram:
    schema = fields.get("schema", 0)
    if schema != CUSTOM_BUCKETS and not MIN_SCHEMA <= schema <= MAX_SCHEMA:
        raise NotationError(
            f"expected a schema from {MIN_SCHEMA} to {MAX_SCHEMA}, or {CUSTOM_BUCKETS}, got {schema}"
        )
    positive = Buckets.dense(fields.get("offset", 0), fields.get("buckets", ()))
    bounds = fields.get("custom_values", ())
    if schema == CUSTOM_BUCKETS and len(positive) and int(positive.indexes[-1]) > len(bounds):
        raise NotationError(f"{len(bounds)} custom_values do not bound {len(positive)} buckets")
    return FloatHistogram(
        schema=schema,
        count=fields.get("count", 0.0),
        sum=fields.get("sum", 0.0),
        zero_threshold=fields.get("z_bucket_w", 0.0),
        zero_count=fields.get("z_bucket", 0.0),
        positive=positive,
        negative=Buckets.dense(fields.get("n_offset", 0), fields.get("n_buckets", ())),
        custom_values=bounds,
        counter_reset_hint=fields.get("counter_reset_hint", CounterReset.UNKNOWN),
    )


def _list(numbers: Iterable[float]) -> str:
    return "[" + " ".join(map(format_number, numbers)) + "]"
