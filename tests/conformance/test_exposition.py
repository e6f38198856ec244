"""Bodies of real exporters, against the parsers of the Python client."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from collector.exposition import OPENMETRICS, TEXT, LineMemory, parse
from collector.exposition.numbers import parse_value
from tsdb import labels_from

NAMES = [
    "1histogram.om.txt",
    "alltypes.237mfs.nometa.prom.txt",
    "alltypes.237mfs.prom.txt",
    "alltypes.5mfs.om.txt",
]
# A sum below zero and its count. The client refuses these, and quantiles below zero; upstream takes them.
NEGATIVE_SUM = re.compile(rb"^\w+_sum -.*\n\w+_count .*\n", re.MULTILINE)

Samples = list[tuple[tuple[tuple[str, str], ...], str]]


def comparable(labels: Iterable[tuple[str, str]], value: float) -> tuple[tuple[tuple[str, str], ...], str]:
    """Labels with bounds as numbers, which the two parsers spell differently, and a value that may be NaN."""
    bounds = {"le", "quantile"}
    return tuple((n, repr(parse_value(v.encode())) if n in bounds else v) for n, v in labels), repr(value)


def client_samples(families: Iterable[Metric]) -> Samples:
    return [
        comparable(labels_from(sample.labels | {"__name__": sample.name}), float(sample.value))
        for family in families
        for sample in family.samples
    ]


@pytest.mark.parametrize("name", NAMES)
def test_body_of_a_real_exporter_reads_as_in_the_python_client(name: str, conformance: Path) -> None:
    body = (conformance / "exposition" / name).read_bytes()
    body = NEGATIVE_SUM.sub(b"", body).replace(b"} -", b"} ")
    form, read = (OPENMETRICS, read_openmetrics) if name.endswith(".om.txt") else (TEXT, read_text)
    exposition = parse(body, form)
    families = list(read(body.decode()))
    assert sorted(comparable(s.labels, s.value) for s in exposition.samples) == sorted(
        client_samples(families)
    )
    helps = sorted(metadata.help for metadata in exposition.metadata.values())
    assert helps == sorted(family.documentation for family in families if family.type != "unknown")


@pytest.mark.parametrize("name", NAMES)
def test_memory_finds_nothing_new_in_the_same_body(name: str, conformance: Path) -> None:
    body = (conformance / "exposition" / name).read_bytes()
    form = OPENMETRICS if name.endswith(".om.txt") else TEXT
    memory = LineMemory(form)
    first = memory.update(body)
    second = memory.update(body)
    assert list(first.added.values()) == [sample.labels for sample in parse(body, form).samples]
    assert second.slots is first.slots
    assert (second.added, second.metadata) == ({}, None)
