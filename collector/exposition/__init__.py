"""Scrape bodies: the text format and OpenMetrics, parsed whole or as changes to the body before."""

from collector.exposition.changes import NO_TIMESTAMP
from collector.exposition.content_type import format_of
from collector.exposition.format import Format
from collector.exposition.memory import LineMemory, Repeat, Update
from collector.exposition.model import Exemplar, Exposition, Metadata, MetricType, Sample
from collector.exposition.openmetrics import OPENMETRICS
from collector.exposition.parser import parse
from collector.exposition.text import TEXT

__all__ = [
    "NO_TIMESTAMP",
    "OPENMETRICS",
    "TEXT",
    "Exemplar",
    "Exposition",
    "Format",
    "LineMemory",
    "Metadata",
    "MetricType",
    "Repeat",
    "Sample",
    "Update",
    "format_of",
    "parse",
]
