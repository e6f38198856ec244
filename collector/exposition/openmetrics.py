"""OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), as strict or lax as upstream."""

import re
from typing import Final

from collector.exposition.format import Format
from collector.exposition.grammar import LABEL_NAME, METRIC_NAME, QUOTED_NAME, Grammar, Step
from collector.exposition.model import MetricType
from collector.exposition.numbers import seconds

# escaped-string = '"' *( escape / any but '"', backslash and LF ) '"'
_STRING: Final = rb'"(?:[^"\\\n]++|\\[^\n])*+"'

# number = any but SP and LF; its meaning is checked afterwards
_NUMBER: Final = rb"[^ \n]++"

# separator = "," / before "}"
_SEPARATOR: Final = rb"(?:,|(?=\}))"

# exemplar-labels = "{" *( ( label-name / escaped-string ) "=" escaped-string separator ) "}"
_EXEMPLAR_LABELS: Final = rb"\{(?:(?:%b|%b)=%b%b)*+\}" % (LABEL_NAME, _STRING, _STRING, _SEPARATOR)

OPENMETRICS: Final = Format(
    name="OpenMetrics",
    grammar=Grammar(
        gap=b"",
        # label = ( label-name / quoted-name ) "=" escaped-string separator
        label_steps=(
            Step("a label name or '}'", rb"(?:%b|%b)" % (LABEL_NAME, QUOTED_NAME)),
            Step("'='", b"="),
            Step("a label value in double quotes", _STRING),
            Step("',' or '}'", _SEPARATOR),
        ),
        separator=_SEPARATOR,
        # SP number [ SP timestamp ] [ SP "#" SP exemplar-labels SP number [ SP timestamp ] ]
        value_steps=(
            Step("a space and a value", rb" (?P<value>%b)" % _NUMBER),
            Step("a timestamp in seconds", rb"(?: (?!# \{)(?P<timestamp>%b))?+" % _NUMBER),
            Step(
                "a timestamp in seconds, an exemplar or the end of the line",
                rb"(?: # (?P<exemplar_labels>%b)" % _EXEMPLAR_LABELS
                + rb" (?P<exemplar_value>%b)(?: (?P<exemplar_timestamp>%b))?+)?+" % (_NUMBER, _NUMBER),
            ),
        ),
    ),
    # "# " keyword SP name SP text
    metadata=re.compile(rb"# (HELP|TYPE|UNIT) (%b|%b) (.*+)" % (METRIC_NAME, QUOTED_NAME)),
    metadata_expected="'# HELP', '# TYPE' or '# UNIT' with a metric name and a text, or '# EOF' at the end",
    ignored=None,
    types={
        "counter": MetricType.COUNTER,
        "gauge": MetricType.GAUGE,
        "histogram": MetricType.HISTOGRAM,
        "gaugehistogram": MetricType.GAUGE_HISTOGRAM,
        "stateset": MetricType.STATESET,
        "info": MetricType.INFO,
        "summary": MetricType.SUMMARY,
        "unknown": MetricType.UNKNOWN,
    },
    help_escape=re.compile(r'\\([\\"n])'),
    parse_timestamp_ms=seconds,
    end=b"# EOF",
)
