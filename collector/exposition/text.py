"""The text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

import re
from typing import Final

from collector.exposition.format import Format
from collector.exposition.grammar import LABEL_NAME, METRIC_NAME, QUOTED_NAME, Grammar, Step
from collector.exposition.model import MetricType
from collector.exposition.numbers import milliseconds

# gap = *( SP / HTAB )
_GAP: Final = rb"[ \t]*+"

# label-value = '"' *( escape / any but '"' and backslash, line feeds too ) '"'
_LABEL_VALUE: Final = rb'"(?:[^"\\]++|\\[^\n])*+"'

TEXT: Final = Format(
    name="text format",
    grammar=Grammar(
        gap=_GAP,
        # label = ( label-name / quoted-name ) gap "=" gap label-value gap [ "," gap ]
        label_steps=(
            Step("a label name or '}'", rb"(?:%b|%b)%b" % (LABEL_NAME, QUOTED_NAME, _GAP)),
            Step("'='", rb"=%b" % _GAP),
            Step("a label value in double quotes", rb"%b%b" % (_LABEL_VALUE, _GAP)),
            Step("',' or '}'", rb"(?:,%b)?+" % _GAP),
        ),
        separator=rb"%b(?:,%b|(?=\}))" % (_GAP, _GAP),
        # gap value [ gap timestamp ] gap
        value_steps=(
            Step("a value", rb"%b(?P<value>[^{ \t\n\0]++)%b" % (_GAP, _GAP)),
            Step("a timestamp in milliseconds or the end of the line", rb"(?P<timestamp>[0-9]++)?+%b" % _GAP),
        ),
    ),
    # gap "#" gap keyword gap name [ any text ]; the text's first character separates, whatever it is
    metadata=re.compile(
        rb"%b#[ \t]++(HELP|TYPE)[ \t]++(%b|%b)(?:[ \t]*+\Z|.(.*+))" % (_GAP, METRIC_NAME, QUOTED_NAME)
    ),
    metadata_expected="a metric name after HELP or TYPE",
    ignored=re.compile(rb"%b(?:#(?![ \t]++(?:HELP|TYPE)[ \t]).*+)?" % _GAP),
    types={
        "counter": MetricType.COUNTER,
        "gauge": MetricType.GAUGE,
        "histogram": MetricType.HISTOGRAM,
        "summary": MetricType.SUMMARY,
        "untyped": MetricType.UNKNOWN,
    },
    help_escape=re.compile(r"\\([\\n])"),
    parse_timestamp_ms=milliseconds,
    end=None,
)
