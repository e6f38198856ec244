"""Scrape bodies: the text format and OpenMetrics, parsed whole or as changes to the body before."""

from collector.exposition.changes import NO_TIMESTAMP
from collector.exposition.content_type import Binary, BodyFormat, format_of
from collector.exposition.format import Format
from collector.exposition.memory import HistogramSample, LineMemory, Memory, Repeat, Update
from collector.exposition.model import Exemplar, Exposition, Metadata, MetricType, Sample
from collector.exposition.openmetrics import OPENMETRICS
from collector.exposition.parser import parse
from collector.exposition.text import TEXT

__all__ = [
    "NO_TIMESTAMP",
    "OPENMETRICS",
    "TEXT",
    "Binary",
    "BodyFormat",
    "Exemplar",
    "Exposition",
    "Format",
    "HistogramSample",
    "LineMemory",
    "Memory",
    "Metadata",
    "MetricType",
    "Repeat",
    "Sample",
    "Update",
    "format_of",
    "parse",
]
