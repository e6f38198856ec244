"""`Format`: what a line means; `TEXT` and `OPENMETRICS` are its two instances."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from collector.exposition.grammar import Grammar
from collector.exposition.model import Exemplar, MetadataLine, MetricType, SampleLine
from collector.exposition.numbers import canonical_bound, parse_value
from tsdb import METRIC_NAME, Labels, labels_from

# The label whose value is a number, for the types that have one.
_BOUND_LABEL: Final = {MetricType.HISTOGRAM: "le", MetricType.SUMMARY: "quantile"}

_LABEL_ESCAPE: Final = re.compile(r'\\([\\"n])')


class LineError(ValueError):
    """A line that is not of the format: what was expected, and the offset where."""

    def __init__(self, expected: str, offset: int) -> None:
        super().__init__(expected, offset)
        self.expected = expected
        self.offset = offset


@dataclass(frozen=True)
class Format:
    """One exposition format."""

    name: str
    grammar: Grammar
    metadata: re.Pattern[bytes]
    """Groups: keyword, family (perhaps quoted), text."""
    metadata_expected: str
    ignored: re.Pattern[bytes] | None
    """Lines without meaning: blank ones, comments."""
    types: Mapping[str, MetricType]
    help_escape: re.Pattern[str]
    parse_timestamp_ms: Callable[[bytes], int]
    end: bytes | None
    """The line that must end a body, if one must."""

    def read_line(self, line: bytes) -> SampleLine | MetadataLine | None:
        """A line's meaning; None for a comment or a blank line. Raises LineError."""
        match = self.grammar.sample.fullmatch(line)
        if match is not None:
            return self._sample(match)
        match = self.metadata.fullmatch(line)
        if match is not None:
            return self._metadata(match)
        if self.ignored is not None and self.ignored.fullmatch(line):
            return None
        if line.lstrip().startswith(b"#"):
            raise LineError(self.metadata_expected, 0)
        raise LineError(*self.grammar.expected_in(line))

    def labels(self, series: bytes, type_in_force: MetricType) -> Labels:
        """The label set of a series' text. Raises LineError for no metric name, a label twice, invalid UTF-8.

        The bounds of histograms and summaries are put into the spelling of OpenMetrics, as upstream does.
        """
        name, _, inside = _utf8(series, 0).partition("{")
        items = self._items(inside)
        names = [name.rstrip()] if name else []
        names += [label for label, equals, _ in items if not equals]
        pairs = {label: value for label, equals, value in items if equals}
        if not names:
            raise LineError("a metric name", 0)
        pairs[METRIC_NAME] = names[0]
        if len(pairs) != len(items) + bool(name):
            raise LineError("one metric name, and each label once", 0)
        if "" in pairs:
            raise LineError("label names that are not empty", 0)
        bound = _BOUND_LABEL.get(type_in_force)
        if bound in pairs:
            pairs[bound] = canonical_bound(pairs[bound])
        return labels_from(pairs)

    def _items(self, inside: str) -> list[tuple[str, str, str]]:
        """What stands between braces: label, "=", value; or metric name, "", ""."""
        parts = self.grammar.label_parts.findall(inside)
        items = [(plain or quoted, equals, value) for plain, quoted, equals, value in parts]
        if "\\" in inside:
            return [(_unescaped(label), equals, _unescaped(value)) for label, equals, value in items]
        return items

    def _sample(self, match: re.Match[bytes]) -> SampleLine:
        series, value, timestamp, *exemplar = match.groups()
        timestamp_ms = None if timestamp is None else self._timestamp_ms(timestamp, match.start("timestamp"))
        return SampleLine(
            series,
            _value(value, match.start("value")),
            timestamp_ms,
            self._exemplar(match) if exemplar and exemplar[0] is not None else None,
        )

    def _exemplar(self, match: re.Match[bytes]) -> Exemplar:
        labels, value, timestamp = match.group("exemplar_labels", "exemplar_value", "exemplar_timestamp")
        items = self._items(_utf8(labels, match.start("exemplar_labels")))
        return Exemplar(
            labels_from({label: text for label, _, text in items}),
            _value(value, match.start("exemplar_value")),
            None if timestamp is None else self._timestamp_ms(timestamp, match.start("exemplar_timestamp")),
        )

    def _timestamp_ms(self, text: bytes, offset: int) -> int:
        try:
            return self.parse_timestamp_ms(text)
        except ValueError:
            raise LineError("a timestamp", offset) from None

    def _metadata(self, match: re.Match[bytes]) -> MetadataLine:
        keyword, raw_family, raw_text = match.groups(b"")
        offset = match.start(3)
        family = _utf8(raw_family, match.start(2))
        if family.startswith('"'):
            family = _unescaped(family[1:-1])
        text = self.help_escape.sub(_unescape, _utf8(raw_text, offset))
        if keyword == b"TYPE" and text not in self.types:
            raise LineError(f"a metric type ({', '.join(self.types)})", offset)
        if keyword == b"UNIT" and text and not family.endswith("_" + text):
            raise LineError(f"a unit that the metric name ends with, after '_', not {text!r}", offset)
        return MetadataLine(
            keyword.decode().lower(), family, self.types.get(text, text) if keyword == b"TYPE" else text
        )


def _value(text: bytes, offset: int) -> float:
    try:
        return parse_value(text)
    except ValueError:
        raise LineError("a number", offset) from None


def _unescaped(text: str) -> str:
    return _LABEL_ESCAPE.sub(_unescape, text)


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def _utf8(text: bytes, offset: int) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise LineError("valid UTF-8", offset + error.start) from None
