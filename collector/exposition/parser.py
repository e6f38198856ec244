"""A whole body at once, without a memory of the one before."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from collector.exposition.format import Format, LineError
from collector.exposition.lines import line_error, read_lines
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
    metadata: dict[str, Metadata] = {}
    for line in lines:
        value = MetricType(line.text) if line.field == "type" else line.text
        changed: dict[str, Any] = {line.field: value}
        metadata[line.family] = replace(metadata.get(line.family, Metadata()), **changed)
    return metadata


def _parse(lines: list[bytes], form: Format) -> Exposition:
    samples: list[Sample] = []
    metadata: list[MetadataLine] = []
    type_in_force = MetricType.UNKNOWN
    for index, line in enumerate(lines):
        try:
            match form.read_line(line):
                case SampleLine(series, value, timestamp_ms, exemplar):
                    labels = form.labels(series, type_in_force)
                    samples.append(Sample(labels, value, timestamp_ms, exemplar))
                case MetadataLine(field, _, text) as read:
                    metadata.append(read)
                    if field == "type":
                        type_in_force = MetricType(text)
        except LineError as error:
            raise line_error(lines, index, error) from None
    return Exposition(tuple(samples), collect_metadata(metadata))
