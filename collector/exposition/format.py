"""`Format`: how the lines of a body become samples and metadata; `text` and `openmetrics` are its two instances."""

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
        """The label set of a series' text. Raises LineError for a missing name, a repeated label or invalid UTF-8.

        The bounds of histograms and summaries are put into the spelling of OpenMetrics, as upstream does.
        """
        name, _, inside = series.partition(b"{")
        pairs: dict[str, str] = {}
        if name:
            pairs[METRIC_NAME] = name.rstrip().decode()
        for match in self.grammar.label_parts.finditer(inside):
            plain, quoted, value = match.groups()
            offset = len(name) + 1 + match.start()
            if value is None:
                key, text = METRIC_NAME, _unquote(quoted, offset)
            else:
                key = plain.decode() if plain else _unquote(quoted, offset)
                text = _unquote(value, offset)
            if key in pairs:
                raise LineError("one metric name" if key == METRIC_NAME else f"label {key!r} once", offset)
            if not key:
                raise LineError("a label name that is not empty", offset)
            pairs[key] = text
        if METRIC_NAME not in pairs:
            raise LineError("a metric name", 0)
        bound = _BOUND_LABEL.get(type_in_force)
        if bound in pairs:
            pairs[bound] = canonical_bound(pairs[bound])
        return labels_from(pairs)

    def _sample(self, match: re.Match[bytes]) -> SampleLine:
        series, value, timestamp, *exemplar = match.groups()
        timestamp_ms = None if timestamp is None else self._timestamp_ms(timestamp, match.start("timestamp"))
        return SampleLine(
            series.strip(),
            _value(value, match.start("value")),
            timestamp_ms,
            self._exemplar(match) if exemplar and exemplar[0] is not None else None,
        )

    def _exemplar(self, match: re.Match[bytes]) -> Exemplar:
        labels, value, timestamp = match.group("exemplar_labels", "exemplar_value", "exemplar_timestamp")
        offset = match.start("exemplar_labels")
        pairs = {
            plain.decode() or _unquote(quoted, offset): _unquote(text, offset)
            for plain, quoted, text in self.grammar.label_parts.findall(labels)
        }
        return Exemplar(
            labels_from(pairs),
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
        family = _unquote(raw_family, match.start(2)) if raw_family.startswith(b'"') else raw_family.decode()
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


def _unquote(quoted: bytes, offset: int) -> str:
    text = _utf8(quoted[1:-1], offset)
    return _LABEL_ESCAPE.sub(_unescape, text) if "\\" in text else text


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def _utf8(text: bytes, offset: int) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise LineError("valid UTF-8", offset) from None
