"""The grammar of a line: what both formats share, and a shape that each of them fills in.

All repetition is possessive, as it is in a lexer: no line, however hostile, makes a regex try twice.
Upstream: model/textparse/promlex.l and openmetricslex.l.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

# metric-name = [a-zA-Z_:] [a-zA-Z0-9_:]*
METRIC_NAME: Final = rb"[a-zA-Z_:][a-zA-Z0-9_:]*+"

# label-name = [a-zA-Z_] [a-zA-Z0-9_]*
LABEL_NAME: Final = rb"[a-zA-Z_][a-zA-Z0-9_]*+"

# quoted-name = '"' *( escape / any but '"', backslash and NUL ) '"'
QUOTED_NAME: Final = rb'"(?:[^"\\\0]++|\\[^\n\0])*+"'


@dataclass(frozen=True)
class Step:
    """A piece of a line, and how an error names it."""

    expected: str
    regex: bytes


@dataclass(frozen=True)
class Grammar:
    """The lines of one format, as steps that follow each other.

    sample = gap ( metric-name [ gap labels ] / labels ) value-steps
    labels = "{" gap *( label / quoted-name separator ) "}"
    label  = label-steps
    """

    gap: bytes
    label_steps: tuple[Step, ...]
    separator: bytes
    value_steps: tuple[Step, ...]
    """Named groups: value, timestamp, exemplar."""

    @cached_property
    def label_item(self) -> re.Pattern[bytes]:
        """What may repeat between braces."""
        label = b"".join(step.regex for step in self.label_steps)
        return re.compile(rb"(?:%b|%b%b)" % (label, QUOTED_NAME, self.separator))

    @cached_property
    def label_parts(self) -> re.Pattern[str]:
        """Groups of each item between braces, known to be well-formed: name, quoted name, "=", value."""
        quoted = rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
        pattern = rb"(?:(%b)|%b)(?:%b(=)%b%b)?+" % (LABEL_NAME, quoted, self.gap, self.gap, quoted)
        return re.compile(pattern.decode())

    @cached_property
    def sample_steps(self) -> tuple[Step, ...]:
        labels = rb"\{%b%b*+\}" % (self.gap, self.label_item.pattern)
        series = rb"(?P<series>(?:%b)?+(?:%b%b)?+)" % (METRIC_NAME, self.gap, labels)
        return (
            Step("a metric name or '{'", rb"%b(?=[a-zA-Z_:{])" % self.gap),
            Step("labels", series),
            *self.value_steps,
        )

    @cached_property
    def sample(self) -> re.Pattern[bytes]:
        """A whole line; named groups: series, value, timestamp, exemplar."""
        return re.compile(b"".join(step.regex for step in self.sample_steps))

    def expected_in(self, line: bytes) -> tuple[str, int]:
        """What a line that is no sample lacks, and the offset where."""
        expected, offset = _follow(self.sample_steps, line, 0)
        brace = re.compile(rb"%b\{%b" % (self.gap, self.gap)).match(line, offset)
        if brace is None:
            return expected, offset
        offset = brace.end()
        while (item := self.label_item.match(line, offset)) is not None:
            offset = item.end()
        return _follow(self.label_steps, line, offset)


def _follow(steps: tuple[Step, ...], line: bytes, offset: int) -> tuple[str, int]:
    """How far the steps lead from an offset: the first that doesn't match, or else the last."""
    for step in steps:
        match = re.compile(step.regex).match(line, offset)
        if match is None:
            break
        offset = match.end()
    return step.expected, offset
