import pytest

from collector.errors import ExpositionError
from collector.exposition import TEXT, Metadata, MetricType, parse
from tsdb import Labels

NAME = ("__name__", "foo")

ACCEPTED: list[tuple[bytes, Labels, float, int | None]] = [
    (b"foo 1", (NAME,), 1, None),
    (b"foo 1\n", (NAME,), 1, None),
    (b"foo\t1 \t", (NAME,), 1, None),
    (b" \tfoo 1", (NAME,), 1, None),
    (b"foo 33  \t123123", (NAME,), 33, 123123),
    (b"foo+1", (NAME,), 1, None),
    (b"foo{} 1", (NAME,), 1, None),
    (b'foo{a="b"}1', (NAME, ("a", "b")), 1, None),
    (b'foo{a="b",} 1 0', (NAME, ("a", "b")), 1, 0),
    (b'foo{b="1",a="2"} 1', (NAME, ("a", "2"), ("b", "1")), 1, None),
    (b'foo { b = "1" , a\t= "2" } 1', (NAME, ("a", "2"), ("b", "1")), 1, None),
    (b'foo{b="1" a="2"} 1', (NAME, ("a", "2"), ("b", "1")), 1, None),
    (b'foo{a=""} 1', (NAME,), 1, None),
    (b'foo{a="x # {} 5"} 1', (NAME, ("a", "x # {} 5")), 1, None),
    (b'foo{a="\\"\\\\\\n\\t"} 1', (NAME, ("a", '"\\\n\\t')), 1, None),
    (b'foo{a="line\nfeed",b="2"} 1', (NAME, ("a", "line\nfeed"), ("b", "2")), 1, None),
    (b'foo{a="abc\x00"} 1', (NAME, ("a", "abc\x00")), 1, None),
    (b'foo{a="\xc3\xa4"} 1', (NAME, ("a", "ä")), 1, None),
    (b'{"foo"} 1', (NAME,), 1, None),
    (b'{"foo",a="b"} 1', (NAME, ("a", "b")), 1, None),
    (b'{a="b","foo",} 1', (NAME, ("a", "b")), 1, None),
    (b'{"foo","a.b \\"c\\""="d"} 1', (NAME, ('a.b "c"', "d")), 1, None),
    (b'{"line\nfeed"} 1', (("__name__", "line\nfeed"),), 1, None),
    (b":a:b9 1", (("__name__", ":a:b9"),), 1, None),
    (b"foo Inf", (NAME,), float("inf"), None),
    (b"foo -inf 5", (NAME,), float("-inf"), 5),
]


@pytest.mark.parametrize(("body", "labels", "value", "timestamp_ms"), ACCEPTED)
def test_line_that_upstream_accepts_is_a_sample(
    body: bytes, labels: Labels, value: float, timestamp_ms: int | None
) -> None:
    (sample,) = parse(body, TEXT).samples
    assert (sample.labels, sample.value, sample.timestamp_ms) == (labels, value, timestamp_ms)


REFUSED = [
    (b"a", 1, 2, "a value"),
    (b"a{b='c'} 1\n", 1, 5, "a label value in double quotes"),
    (b"a{b=\n", 1, 5, "a label value in double quotes"),
    (b'a{\xff="foo"} 1\n', 1, 3, "a label name or '}'"),
    (b'a{b="\xff"} 1\n', 1, 6, "valid UTF-8"),
    (b'{"\xff"} 1\n', 1, 3, "valid UTF-8"),
    (b'{"a", "b = "c"}', 1, 13, "'='"),
    (b'{"a",b\\nc="d"} 1', 1, 7, "'='"),
    (b"a true\n", 1, 3, "a number"),
    (b'foo 1\nsomething_weird{problem="', 2, 25, "a label value in double quotes"),
    (b'empty_label_name{=""} 0', 1, 18, "a label name or '}'"),
    (b'foo{""="x"} 0', 1, 1, "label names that are not empty"),
    (b"{A}0", 1, 3, "'='"),
    (b"foo 1_2\n", 1, 5, "a number"),
    (b"foo 0x1p-3\n", 1, 5, "a number"),
    (b"foo 0 1_2\n", 1, 8, "a timestamp in milliseconds or the end of the line"),
    (b"foo 0 -1\n", 1, 7, "a timestamp in milliseconds or the end of the line"),
    (b"foo 0 99999999999999999999\n", 1, 7, "a timestamp"),
    (b"foo 1\r\n", 1, 5, "a number"),
    (b'{a="ok"} 1', 1, 1, "a metric name"),
    (b'{__name__="foo"} 1', 1, 1, "a metric name"),
    (b'foo{__name__="foo"} 1', 1, 1, "one metric name, and each label once"),
    (b'{"foo","foo"} 1', 1, 1, "one metric name, and each label once"),
    (b'foo{"bar"} 1', 1, 1, "one metric name, and each label once"),
    (b'foo{a="1",a="2"} 1', 1, 1, "one metric name, and each label once"),
    (b'{"foo" a="2"} 1', 1, 8, "'='"),
    (b"# TYPE #\n", 1, 1, "a metric name after HELP or TYPE"),
    (b"# HELP \n", 1, 1, "a metric name after HELP or TYPE"),
    (b"# HELP a x\xff\n", 1, 11, "valid UTF-8"),
    (b"# TYPE a  counter\n", 1, 10, "a metric type (counter, gauge, histogram, summary, untyped)"),
    (b"foo 1 # {} 1\n", 1, 7, "a timestamp in milliseconds or the end of the line"),
    (b'a{b="1\n2"} 1\n\nfoo\n', 4, 4, "a value"),
    (b"9 1", 1, 1, "a metric name or '{'"),
    (b"foo 1e999", 1, 5, "a number"),
]


@pytest.mark.parametrize(("body", "line_number", "column", "expected"), REFUSED)
def test_line_that_upstream_refuses_is_named(
    body: bytes, line_number: int, column: int, expected: str
) -> None:
    with pytest.raises(ExpositionError) as raised:
        parse(body, TEXT)
    error = raised.value
    assert (error.line_number, error.column, error.expected) == (line_number, column, expected)


def test_error_shows_place_expectation_and_line() -> None:
    with pytest.raises(ExpositionError) as raised:
        parse(b"ok 1\na{b='c'} 1\n", TEXT)
    assert str(raised.value) == """line 2, column 5: expected a label value in double quotes: "a{b='c'} 1\""""


def test_long_line_is_shortened_in_the_error() -> None:
    with pytest.raises(ExpositionError) as raised:
        parse(b"a" * 1000, TEXT)
    assert raised.value.line == "a" * 120 + "..."


METADATA = [
    (b'# HELP a Some \\n \\\\ \\" help.', Metadata(help='Some \n \\ \\" help.')),
    (b" #\tHELP  a\tx", Metadata(help="x")),
    (b"# HELP a", Metadata()),
    (b"# HELP a \t", Metadata()),
    (b"# TYPE a summary", Metadata(MetricType.SUMMARY)),
    (b"# TYPE a untyped", Metadata(MetricType.UNKNOWN)),
    (b'# TYPE "a" gauge', Metadata(MetricType.GAUGE)),
    (b"# TYPE a gauge\n# HELP a x\n# HELP a y", Metadata(MetricType.GAUGE, "y")),
]


@pytest.mark.parametrize(("body", "metadata"), METADATA)
def test_metadata_line_describes_its_family(body: bytes, metadata: Metadata) -> None:
    assert parse(body, TEXT).metadata == {"a": metadata}


@pytest.mark.parametrize(
    "body", [b"", b"\n \n", b"#", b"# Hrandom", b"#HELP", b"# HELP", b"# a\n#b {", b'# "']
)
def test_comments_and_blank_lines_have_no_meaning(body: bytes) -> None:
    exposition = parse(body, TEXT)
    assert (exposition.samples, exposition.metadata) == ((), {})


BOUNDS = [
    ("histogram", "le", "1", "1.0"),
    ("histogram", "le", "+Inf", "+Inf"),
    ("histogram", "le", "1e6", "1e+06"),
    ("histogram", "le", "0.00005", "5e-05"),
    ("histogram", "le", "-0", "0.0"),
    ("histogram", "le", "much", "much"),
    ("histogram", "quantile", "1", "1"),
    ("summary", "quantile", "0", "0.0"),
    ("summary", "le", "1", "1"),
    ("gauge", "le", "1", "1"),
]


@pytest.mark.parametrize(("metric_type", "label", "written", "read"), BOUNDS)
def test_bound_is_spelt_as_in_openmetrics_where_the_type_has_bounds(
    metric_type: str, label: str, written: str, read: str
) -> None:
    body = f'# TYPE x {metric_type}\nx{{{label}="{written}"}} 1'
    (sample,) = parse(body.encode(), TEXT).samples
    assert dict(sample.labels)[label] == read
