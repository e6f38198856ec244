"""What is unusual about names, types and labels of metrics. Pure.

The rules and their words are those of client_golang's promlint, which promtool uses; their reasons are in
Prometheus's guide on metric and label naming.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from collector.exposition import Exposition, Metadata, MetricType, Sample
from tsdb import METRIC_NAME, Labels

_CAMEL_CASE: Final = re.compile(r"[a-z][A-Z]")
_HISTOGRAMS: Final = (MetricType.HISTOGRAM, MetricType.GAUGE_HISTOGRAM)
_SUFFIXES: Final = {
    MetricType.HISTOGRAM: ("_bucket", "_sum", "_count"),
    MetricType.SUMMARY: ("_sum", "_count"),
}
_TYPE_NAMES: Final = ("counter", "gauge", "summary", "histogram", "gauge_histogram")
_BASE_UNITS: Final = (
    "amperes", "bytes", "celsius", "grams", "joules", "kelvin", "meters", "metres", "moles", "seconds",
    "volts",
)  # fmt: skip
_OTHER_UNITS: Final = {
    "minutes": "seconds", "hours": "seconds", "days": "seconds", "weeks": "seconds",
    "kelvins": "kelvin", "fahrenheit": "celsius", "rankine": "celsius",
    "inches": "meters", "yards": "meters", "miles": "meters",
    "bits": "bytes", "calories": "joules", "pounds": "grams", "ounces": "grams",
}  # fmt: skip
_UNITS: Final = {unit: unit for unit in _BASE_UNITS} | _OTHER_UNITS
_UNIT_PREFIXES: Final = (
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi",
    "mega", "mibi", "giga", "gibi", "tera", "tebi", "peta", "pebi",
)  # fmt: skip
_ABBREVIATIONS: Final = (
    "s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d",
)  # fmt: skip


@dataclass
class Family:
    """A metric with all its series."""

    name: str
    metadata: Metadata
    series: list[Labels] = field(default_factory=list)


@dataclass(frozen=True, order=True)
class Problem:
    """One remark about one metric."""

    metric: str
    text: str


def lint(families: Iterable[Family]) -> list[Problem]:
    """All remarks, by metric and text."""
    return sorted(
        Problem(family.name, text) for family in families for rule in _RULES for text in rule(family)
    )


def families_of(exposition: Exposition) -> list[Family]:
    """The samples by family, in the order of the body."""
    families: dict[str, Family] = {}
    for sample in exposition.samples:
        name = _family_name(sample, exposition)
        metadata = exposition.metadata.get(name, Metadata())
        families.setdefault(name, Family(name, metadata)).series.append(sample.labels)
    return list(families.values())


def _family_name(sample: Sample, exposition: Exposition) -> str:
    name = dict(sample.labels)[METRIC_NAME]
    for kind, suffixes in _SUFFIXES.items():
        for suffix in suffixes:
            known = exposition.metadata.get(name.removesuffix(suffix))
            if name.endswith(suffix) and known and known.type is kind:
                return name.removesuffix(suffix)
    return name


def _help(family: Family) -> Iterator[str]:
    if not family.metadata.help:
        yield "no help text"


def _duplicates(family: Family) -> Iterator[str]:
    if len(set(family.series)) < len(family.series):
        yield "metric not unique"


def _units(family: Family) -> Iterator[str]:
    for part in family.name.split("_"):
        bare = next((part[len(p) :] for p in _UNIT_PREFIXES if part.startswith(p)), part)
        base = _UNITS.get(part) or _UNITS.get(bare)
        if base is None:
            continue
        if part != base:
            yield f'use base unit "{base}" instead of "{part}"'
        return


def _counter(family: Family) -> Iterator[str]:
    has_total = family.name.endswith("_total")
    if family.metadata.type is MetricType.COUNTER and not has_total:
        yield 'counter metrics should have "_total" suffix'
    if family.metadata.type not in (MetricType.COUNTER, MetricType.UNKNOWN) and has_total:
        yield 'non-counter metrics should not have "_total" suffix'


def _reserved(family: Family) -> Iterator[str]:
    """Suffixes and labels that histograms and summaries need."""
    kind = family.metadata.type
    if kind is MetricType.UNKNOWN:
        return
    is_histogram, is_summary = kind in _HISTOGRAMS, kind is MetricType.SUMMARY
    if not is_histogram and family.name.endswith("_bucket"):
        yield 'non-histogram metrics should not have "_bucket" suffix'
    for suffix in ("_count", "_sum"):
        if not is_histogram and not is_summary and family.name.endswith(suffix):
            yield f'non-histogram and non-summary metrics should not have "{suffix}" suffix'
    labels = _label_names(family)
    if not is_histogram and "le" in labels:
        yield 'non-histogram metrics should not have "le" label'
    if not is_summary and "quantile" in labels:
        yield 'non-summary metrics should not have "quantile" label'


def _type_in_name(family: Family) -> Iterator[str]:
    for kind in _TYPE_NAMES:
        if _has_part(family.name, kind):
            yield f"metric name should not include type '{kind}'"


def _characters(family: Family) -> Iterator[str]:
    if ":" in family.name:
        yield "metric names should not contain ':'"
    if _CAMEL_CASE.search(family.name):
        yield "metric names should be written in 'snake_case' not 'camelCase'"
    if any(map(_CAMEL_CASE.search, _label_names(family))):
        yield "label names should be written in 'snake_case' not 'camelCase'"


def _abbreviations(family: Family) -> Iterator[str]:
    for unit in _ABBREVIATIONS:
        if _has_part(family.name, unit):
            yield "metric names should not contain abbreviated units"


_RULES: Final[Sequence[Callable[[Family], Iterator[str]]]] = (
    _help, _duplicates, _units, _counter, _reserved, _type_in_name, _characters, _abbreviations,
)  # fmt: skip


def _label_names(family: Family) -> set[str]:
    return {name for labels in family.series for name, _ in labels}


def _has_part(name: str, part: str) -> bool:
    """Whether a name has a part behind an underscore, in any spelling."""
    return f"_{part}_" in f"{name.lower()}_"
