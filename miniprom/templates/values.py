"""What templates compute with: Go's types as Python has them.

bool, int, float and str stand for themselves, None for nil, a tuple for a query's result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from miniprom.templates.times import Duration, NamedInt, Time
from tsdb.histogram import FloatHistogram


class StringMap(dict[str, str]):
    """Go's map[string]string: a key that is not there has the value ""."""


class AnyMap(dict[str, Any]):
    """Go's map[string]any: a key that is not there has no value."""


@dataclass(frozen=True)
class Sample:
    """One series of a query's result."""

    labels: StringMap
    value: float | FloatHistogram


@dataclass(frozen=True)
class TemplateData:
    """What an alert's templates are expanded with. `value` is the sample's; `time_ms` is `now`."""

    labels: Mapping[str, str]
    value: float | FloatHistogram
    external_labels: Mapping[str, str]
    external_url: str
    time_ms: int


class Missing:
    """Takes the place of a value where a pipeline begins: there is none yet."""


MISSING: Final = Missing()

STRUCT_FIELDS: Final[Mapping[type, Mapping[str, str]]] = {
    TemplateData: {
        "Labels": "labels",
        "ExternalLabels": "external_labels",
        "ExternalURL": "external_url",
        "Value": "value",
    },
    Sample: {"Labels": "labels", "Value": "value"},
    FloatHistogram: {
        "Schema": "schema",
        "ZeroThreshold": "zero_threshold",
        "ZeroCount": "zero_count",
        "Count": "count",
        "Sum": "sum",
    },
}
"""The fields of Go's structs in order, and the attributes behind them; of histograms, the plain ones."""

_TYPE_NAMES: Final[Mapping[type, str]] = {
    bool: "bool",
    int: "int",
    NamedInt: "int",
    float: "float64",
    str: "string",
    StringMap: "map[string]string",
    AnyMap: "map[string]interface {}",
    tuple: "template.queryResult",
    Sample: "*template.sample",
    FloatHistogram: "*histogram.FloatHistogram",
    Time: "*time.Time",
    Duration: "*time.Duration",
    TemplateData: (
        "struct { Labels map[string]string; ExternalLabels map[string]string; "
        "ExternalURL string; Value interface {} }"
    ),
}


def type_name(value: Any) -> str:
    """The type as Go prints it."""
    return "nil" if value is None else _TYPE_NAMES[type(value)]


def field_of(value: Any, name: str) -> Any:
    """The value of a struct's field. Raises `KeyError`."""
    found = getattr(value, STRUCT_FIELDS[type(value)][name])
    return StringMap(found) if isinstance(found, Mapping) else found


def is_true(value: Any) -> bool:
    """Whether Go's `if` takes it for true: not zero, not empty, not nil."""
    if isinstance(value, bool | int | float | str | dict | tuple):
        return bool(value)
    return value is not None
