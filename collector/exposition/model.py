"""What a body holds: samples and metadata."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tsdb import Labels


class MetricType(StrEnum):
    """The type of a metric family, as the API spells it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    GAUGE_HISTOGRAM = "gaugehistogram"
    SUMMARY = "summary"
    INFO = "info"
    STATESET = "stateset"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What TYPE, HELP and UNIT say of a metric family."""

    type: MetricType = MetricType.UNKNOWN
    help: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation behind a sample of OpenMetrics."""

    labels: Labels
    value: float
    timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One line's series with its value; the scrape's time holds where no timestamp is given."""

    labels: Labels
    value: float
    timestamp_ms: int | None = None
    exemplar: Exemplar | None = None


@dataclass(frozen=True, slots=True)
class Exposition:
    """A whole body, in its own order."""

    samples: tuple[Sample, ...]
    metadata: dict[str, Metadata]


class SampleLine(NamedTuple):
    """A sample whose series is still text."""

    series: bytes
    value: float
    timestamp_ms: int | None
    exemplar: Exemplar | None


class MetadataLine(NamedTuple):
    """One TYPE, HELP or UNIT line: the field of `Metadata` that it sets."""

    field: str
    family: str
    value: MetricType | str
