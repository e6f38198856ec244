"""A whole body at once, without a memory of the one before."""

from collections.abc import Iterable
from typing import Any

from collector.exposition.format import Format, LineError
from collector.exposition.lines import Lines, line_error, read_lines
from collector.exposition.model import (
    Exposition,
    Metadata,
    MetadataLine,
    MetricType,
    Sample,
    SampleLine,
)


def parse(body: bytes, form: Format) -> Exposition:
    """All samples, in the order of the lines, and the metadata of each family. Raises ExpositionError."""
    return read_lines(body, form, lambda lines: _parse(lines, form))


def collect_metadata(lines: Iterable[MetadataLine]) -> dict[str, Metadata]:
    """Metadata by family; a later line prevails."""
    fields: dict[str, dict[str, Any]] = {}
    for line in lines:
        fields.setdefault(line.family, {})[line.field] = line.value
    return {family: Metadata(**given) for family, given in fields.items()}


def _parse(lines: Lines, form: Format) -> Exposition:
    samples: list[Sample] = []
    metadata: list[MetadataLine] = []
    type_in_force = MetricType.UNKNOWN
    for index, line in enumerate(lines.between(0, len(lines))):
        try:
            match form.read_line(line):
                case SampleLine(series, value, timestamp_ms, exemplar):
                    labels = form.labels(series, type_in_force)
                    samples.append(Sample(labels, value, timestamp_ms, exemplar))
                case MetadataLine(_, _, value) as read:
                    metadata.append(read)
                    if isinstance(value, MetricType):
                        type_in_force = value
        except LineError as error:
            raise line_error(lines, index, error) from None
    return Exposition(tuple(samples), collect_metadata(metadata))
