import pytest

from collector.errors import ExpositionError
from collector.exposition import OPENMETRICS, Exemplar, Metadata, MetricType, parse
from tsdb import Labels

NAME = ("__name__", "a_total")

ACCEPTED: list[tuple[bytes, Labels, float, int | None]] = [
    (b"a_total 1", (NAME,), 1, None),
    (b"a_total{} 1", (NAME,), 1, None),
    (b'a_total{b="c",} 1 1.5', (NAME, ("b", "c")), 1, 1500),
    (b"a_total 1 1520879607.789", (NAME,), 1, 1520879607789),
    (b"a_total 1 -0.0015", (NAME,), 1, -1),
    (b"a_total 1 1e3", (NAME,), 1, 1_000_000),
    (b'{"a_total","b.c"="d\\ne"} 1', (NAME, ("b.c", "d\ne")), 1, None),
    (b'{"a_total"} 1', (NAME,), 1, None),
    (b'{"a\ntotal"} 1', (("__name__", "a\ntotal"),), 1, None),
    (b'a_total{b="\x00"} 1', (NAME, ("b", "\x00")), 1, None),
    (b'a_total{b="x # {c=\\"d\\"} 1"} 2', (NAME, ("b", 'x # {c="d"} 1')), 2, None),
    (b"a_created 1.5e+09", (("__name__", "a_created"),), 1.5e9, None),
    (b"a_total -Inf", (NAME,), float("-inf"), None),
]


@pytest.mark.parametrize(("line", "labels", "value", "timestamp_ms"), ACCEPTED)
def test_line_that_upstream_accepts_is_a_sample(
    line: bytes, labels: Labels, value: float, timestamp_ms: int | None
) -> None:
    (sample,) = parse(line + b"\n# EOF\n", OPENMETRICS).samples
    assert (sample.labels, sample.value, sample.timestamp_ms) == (labels, value, timestamp_ms)


EXEMPLARS = [
    (b"a_total 1 # {} 2", None, Exemplar((), 2, None)),
    (b'a_total 1 # {b="c"} 2', None, Exemplar((("b", "c"),), 2, None)),
    (b'a_total 1 5 # {b="}",c="\\"",} 2 0.5', 5000, Exemplar((("b", "}"), ("c", '"')), 2, 500)),
    (b'a_total 1 # {"b.b"="c"} 2 -1', None, Exemplar((("b.b", "c"),), 2, -1000)),
]


@pytest.mark.parametrize(("line", "timestamp_ms", "exemplar"), EXEMPLARS)
def test_exemplar_follows_the_value(line: bytes, timestamp_ms: int | None, exemplar: Exemplar) -> None:
    (sample,) = parse(line + b"\n# EOF", OPENMETRICS).samples
    assert (sample.value, sample.timestamp_ms, sample.exemplar) == (1, timestamp_ms, exemplar)


SPACE_AND_VALUE = "a space and a value"
END_OF_LINE = "a timestamp in seconds, an exemplar or the end of the line"
COMMENT = "'# HELP', '# TYPE' or '# UNIT' with a metric name and a text, or '# EOF' at the end"
END = "'# EOF' as the last line"

REFUSED = [
    (b"", 1, 1, END),
    (b"\n", 1, 1, END),
    (b"metric 1", 1, 1, END),
    (b"metric 1\n", 1, 1, END),
    (b'metric_total 1 # {aa="bb"} 4', 1, 1, END),
    (b"# EOF\na 1", 2, 1, END),
    (b"# EOF\n\n", 2, 1, END),
    (b"# EOFa 1", 1, 1, END),
    (b" # EOF\n", 1, 1, END),
    (b"# EOF\na 1\n# EOF\n", 1, 1, COMMENT),
    (b"metric\n# EOF", 1, 7, SPACE_AND_VALUE),
    (b"\n\n# EOF\n", 1, 1, "a metric name or '{'"),
    (b" a 1\n# EOF\n", 1, 1, "a metric name or '{'"),
    (b"9\n# EOF\n", 1, 1, "a metric name or '{'"),
    (b"#\n# EOF\n", 1, 1, COMMENT),
    (b"# H\n# EOF\n", 1, 1, COMMENT),
    (b"#  TYPE c counter\n# EOF\n", 1, 1, COMMENT),
    (b"#\tTYPE c counter\n# EOF\n", 1, 1, COMMENT),
    (b"# TYPE \n# EOF\n", 1, 1, COMMENT),
    (b"# TYPE m\n# EOF\n", 1, 1, COMMENT),
    (b"# UNIT m\n# EOF\n", 1, 1, COMMENT),
    (b"# HELP m\n# EOF\n", 1, 1, COMMENT),
    (
        b"# UNIT metric suffix\n# EOF\n",
        1,
        15,
        "a unit that the metric name ends with, after '_', not 'suffix'",
    ),
    (
        b"# UNIT msuffix suffix\n# EOF\n",
        1,
        16,
        "a unit that the metric name ends with, after '_', not 'suffix'",
    ),
    (b"a\t1\n# EOF\n", 1, 2, SPACE_AND_VALUE),
    (b"a  1\n# EOF\n", 1, 2, SPACE_AND_VALUE),
    (b"a 1\t2\n# EOF\n", 1, 3, "a number"),
    (b"a 1 2 \n# EOF\n", 1, 6, END_OF_LINE),
    (b"a 1 \n# EOF\n", 1, 4, END_OF_LINE),
    (b"a 1 2 #\n# EOF\n", 1, 6, END_OF_LINE),
    (b"a 1 1 1\n# EOF\n", 1, 6, END_OF_LINE),
    (b"a 1 1z\n# EOF\n", 1, 5, "a timestamp"),
    (b"a 1 NaN\n# EOF\n", 1, 5, "a timestamp"),
    (b"a 1 -Inf\n# EOF\n", 1, 5, "a timestamp"),
    (b"a{b='c'} 1\n# EOF\n", 1, 5, "a label value in double quotes"),
    (b'a{,b="c"} 1\n# EOF\n', 1, 3, "a label name or '}'"),
    (b'a{b="c"d="e"} 1\n# EOF\n', 1, 8, "',' or '}'"),
    (b'a{b="c",,d="e"} 1\n# EOF\n', 1, 9, "a label name or '}'"),
    (b'a{b="c", d="e"} 1\n# EOF\n', 1, 9, "a label name or '}'"),
    (b'a{b="line\nfeed"} 1\n# EOF\n', 1, 5, "a label value in double quotes"),
    (b'a{b="\xff"} 1\n# EOF\n', 1, 6, "valid UTF-8"),
    (b'{"a","b = "c"}\n# EOF\n', 1, 12, "'='"),
    (b"{A}0\n# EOF\n", 1, 3, "'='"),
    (b'{b="c",} 1\n# EOF\n', 1, 1, "a metric name"),
    (b"foo 1_2\n# EOF\n", 1, 5, "a number"),
    (b"foo 0x1p-3\n# EOF\n", 1, 5, "a number"),
    (b"foo 1\r\n# EOF\n", 1, 5, "a number"),
    (b"c_total 1 # {aa=bb}\n# EOF\n", 1, 10, END_OF_LINE),
    (b'c_total 1 # {aa="bb"}\n# EOF\n', 1, 10, END_OF_LINE),
    (b'c_total 1 # {"bb"} 1\n# EOF\n', 1, 10, END_OF_LINE),
    (b'c_total 1 # {aa="bb"} true\n# EOF\n', 1, 23, "a number"),
    (b'c_total 1 # {aa="\xff"} 1\n# EOF\n', 1, 18, "valid UTF-8"),
    (b'c_total 1 # {aa="bb"} 4 NaN\n# EOF\n', 1, 25, "a timestamp"),
    (b"a\x00 1\n# EOF\n", 1, 2, SPACE_AND_VALUE),
]


@pytest.mark.parametrize(("body", "line_number", "column", "expected"), REFUSED)
def test_line_that_upstream_refuses_is_named(
    body: bytes, line_number: int, column: int, expected: str
) -> None:
    with pytest.raises(ExpositionError) as raised:
        parse(body, OPENMETRICS)
    error = raised.value
    assert (error.line_number, error.column, error.expected) == (line_number, column, expected)


@pytest.mark.parametrize("metric_type", ["untyped", "counter ", " counter", "Counter", ""])
def test_type_that_openmetrics_lacks_is_refused(metric_type: str) -> None:
    with pytest.raises(ExpositionError, match="expected a metric type"):
        parse(f"# TYPE u {metric_type}\n# EOF\n".encode(), OPENMETRICS)


@pytest.mark.parametrize("body", [b"# EOF", b"# EOF\n"])
def test_end_alone_is_an_empty_exposition(body: bytes) -> None:
    assert parse(body, OPENMETRICS).samples == ()


def test_type_help_and_unit_describe_a_family() -> None:
    body = b'# TYPE a_seconds gaugehistogram\n# UNIT a_seconds seconds\n# HELP a_seconds \\"A\\".\n# EOF\n'
    described = Metadata(MetricType.GAUGE_HISTOGRAM, '"A".', "seconds")
    assert parse(body, OPENMETRICS).metadata == {"a_seconds": described}


def test_empty_unit_fits_each_name() -> None:
    assert parse(b"# UNIT a \n# EOF\n", OPENMETRICS).metadata == {"a": Metadata()}
