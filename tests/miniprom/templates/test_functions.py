"""Prometheus's functions. Expected values: upstream's template reference and its documented results."""

import pytest

from miniprom.templates import TemplateError
from query.execution.result import ScalarPoint
from tests.miniprom.templates.support import expanded, vector
from tsdb.histogram import FloatHistogram

INSTANCES = vector(
    ({"__name__": "metric", "instance": "b"}, 21.0), ({"__name__": "metric", "instance": "a"}, 11.0)
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{ humanize 0.0 }}:{{ humanize 1 }}:{{ humanize 1234567.0 }}', "0:1:1.235M"),
        ('{{ humanize "1234567.0" }}:{{ humanize -1 }}', "1.235M:-1"),
        ("{{ humanize 9223372036854775807 }}", "9.223E"),
        ("{{ humanize1024 1048576.0 }}:{{ humanize1024 1234567 }}", "1Mi:1.177Mi"),
        ("{{ humanize .12 }}:{{ humanize1024 .12 }}", "120m:0.12"),
        ("{{ humanize1024 9223372036854775807 }}", "8Ei"),
        ("{{ humanizeDuration 0 }}:{{ humanizeDuration 1 }}:{{ humanizeDuration 60 }}", "0s:1s:1m 0s"),
        ("{{ humanizeDuration 3600 }}:{{ humanizeDuration 90000 }}", "1h 0m 0s:1d 1h 0m 0s"),
        ("{{ humanizeDuration -183845 }}:{{ humanizeDuration 899.99 }}", "-2d 3h 4m 5s:14m 59s"),
        ("{{ humanizeDuration .1 }}:{{ humanizeDuration .0001 }}", "100ms:100us"),
        ("{{ humanizeDuration .12345 }}:{{ humanizeDuration 12.345 }}", "123.5ms:12.35s"),
        ("{{ humanizePercentage -0.22222 }}:{{ 0.1234567 | humanizePercentage }}", "-22.22%:12.35%"),
        ("{{ humanizePercentage 1234567 }}", "1.235e+08%"),
        ("{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC"),
        ("{{ humanizeTimestamp -1 }}", "1969-12-31 23:59:59 +0000 UTC"),
        ("{{ humanizeTimestamp 9223372036 }}", "2262-04-11 23:47:16 +0000 UTC"),
        ('{{ humanize "+Inf" }} {{ humanize1024 "-Inf" }} {{ humanizeDuration "NaN" }}', "+Inf -Inf NaN"),
        ('{{ humanizeTimestamp "+Inf" }}', "+Inf"),
    ],
)  # fmt: skip
def test_numbers_are_humanized(template: str, text: str) -> None:
    assert expanded(template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{ "foo.example.com:12345" | stripPort }}', "foo.example.com"),
        ('{{ "192.0.2.1" | stripPort }}', "192.0.2.1"),
        ('{{ "2001:0DB8::1" | stripPort }}', "2001:0DB8::1"),
        ('{{ "[2001:0DB8::1]:12345" | stripPort }}', "2001:0DB8::1"),
        ('{{ "[2001:0DB8::1]::12345" | stripPort }}', "[2001:0DB8::1]::12345"),
        ('{{ "foo.example.com" | stripDomain }}', "foo"),
        ('{{ "foo.example.com:12345" | stripDomain }}', "foo:12345"),
        ('{{ "192.0.2.1:12345" | stripDomain }}', "192.0.2.1:12345"),
        ('{{ "[2001:0DB8::1]:12345" | stripDomain }}', "[2001:0DB8::1]:12345"),
        ('{{ "[2001:0DB8::1]::12345" | stripDomain }}', "[2001:0DB8::1]::12345"),
        ('{{ reReplaceAll "(a)b" "x$1" "ab" }}', "xa"),
        ('{{ reReplaceAll "(?P<first>a)" "${first}$$-" "aba" }}', "a$-ba$-"),
        ('{{ reReplaceAll "a" "$3" "bab" }}', "bb"),
        ('{{ match "a+" "baab" }} {{ match "a+" "b" }}', "true false"),
        ('{{ match "a.b" "a\\nb" }}', "false"),
        ('{{ title "aa bb CC" }}', "Aa Bb CC"),
        ('{{ title "it\'s foo-bar" }}', "It's Foo-Bar"),
        ('{{ toUpper "aa CC" }} {{ toLower "aA CC" }}', "AA CC aa cc"),
        ('{{ graphLink "up == 0" }}', "/graph?g0.expr=up+%3D%3D+0&g0.tab=0"),
        ('{{ tableLink "up" }}', "/graph?g0.expr=up&g0.tab=1"),
        ('{{ urlQueryEscape "a b/c?" }}', "a+b%2Fc%3F"),
        ('{{ safeHtml "<b>" }}', "<b>"),
        ("{{ externalURL }} {{ pathPrefix }}", "http://testhost:9090/path/prefix /path/prefix"),
    ],
)
def test_strings_are_changed(template: str, text: str) -> None:
    assert expanded(template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ now }}", "1.353755652e+09"),
        ('{{ (now | toTime).Format "Mon Jan 2 15:04:05 2006" }}', "Sat Nov 24 11:14:12 2012"),
        ('{{ ("1435065584.128" | toTime).Format "2006" }}', "2015"),
        ("{{ 1435065584.128 | toTime }}", "2015-06-23 13:19:44.128 +0000 UTC"),
        ("{{ (1800 | toDuration).String }} {{ toDuration 1.5 }} {{ toDuration .0015 }}", "30m0s 1.5s 1.5ms"),
        ('{{ ("-30m" | parseDuration | toDuration | (now | toTime).Add).UnixMilli }}', "1353753852000"),
        ('{{ printf "%0.2f" (parseDuration "1h2m10ms") }}', "3720.01"),
        ('{{ parseDuration "-1h" }}', "-3600"),
        ("{{ with toTime now }}{{ .Weekday }} {{ .Month }} {{ .Day }}{{ end }}", "Saturday November 24"),
        ('{{ if eq (now | toTime).Hour 11 }}yes{{ end }}', "yes"),
    ],
)  # fmt: skip
def test_times_and_durations(template: str, text: str) -> None:
    assert expanded(template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{ query "metric" | first | value }}', "21"),
        ('{{ query "metric" | first | label "instance" }}', "b"),
        ('{{ query "metric" | first | label "no" }}', ""),
        ('{{ with query "metric" }}{{ . | first | value | humanize }}{{ end }}', "21"),
        ('{{ $x := query "metric" | first }}{{ $x.Labels.no }}{{ $x.Value }}', "21"),
        (
            '{{ range query "m" | sortByLabel "instance" }}{{ .Labels.instance }}:{{ .Value }} {{ end }}',
            "a:11 b:21 ",
        ),
        ('{{ (index (query "metric") 1).Labels.instance }} {{ query "metric" | len }}', "a 2"),
    ],
)
def test_results_of_queries(template: str, text: str) -> None:
    assert expanded(template, answer=INSTANCES) == text


def test_strvalue_is_the_label_that_count_values_style_queries_write() -> None:
    assert expanded('{{ query "x" | first | strvalue }}', answer=vector(({"__value__": "v1"}, 1.0))) == "v1"


def test_scalar_is_one_sample_without_labels() -> None:
    assert expanded('{{ query "1.5" | first | value }}', answer=ScalarPoint(0, 1.5)) == "1.5"


def test_native_histogram_prints_as_upstream_prints_it() -> None:
    histogram = FloatHistogram(count=3.0, sum=10.0)
    assert expanded("{{ $value }} {{ $value.Sum }}", value=histogram) == "{count:3, sum:10} 10"
    assert expanded('{{ query "h" | first | value }}', answer=vector(({}, histogram))) == "{count:3, sum:10}"


def test_first_of_an_empty_result_fails() -> None:
    with pytest.raises(TemplateError) as caught:
        expanded('{{ query "missing" | first }}')
    assert caught.value.described("test") == (
        'error executing template test: template: test:1:21: executing "test" at <first>: '
        "error calling first: first() called on vector with no elements"
    )


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ('{{ humanize "one" }}', 'error calling humanize: strconv.ParseFloat: parsing "one": invalid syntax'),
        ("{{ humanize true }}", "error calling humanize: can't convert bool to float"),
        (
            "{{ humanizeTimestamp 9223372036854775807 }}",
            "error calling humanizeTimestamp: 9.223372036854776e+18 cannot be represented as a nanoseconds "
            "timestamp since it overflows int64",
        ),
        ('{{ toTime "NaN" }}', "error calling toTime: value is NaN or Inf"),
        ('{{ parseDuration "1x" }}', 'error calling parseDuration: unknown unit "x" in duration "1x"'),
        ("{{ toUpper 1 }}", "expected string; found 1"),
        ("{{ toUpper $value }}", "wrong type for value; expected string; got float64"),
        ("{{ toUpper }}", "wrong number of args for toUpper: want 1 got 0"),
        ('{{ match "a" "b" "c" }}', "wrong number of args for match: want 2 got 3"),
    ],
)
def test_what_a_function_cannot_take_is_told(template: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        expanded(template)
    assert caught.value.message == message


def test_a_bad_regex_is_told() -> None:
    with pytest.raises(TemplateError, match="error calling match: error parsing regexp"):
        expanded('{{ match "(" "b" }}')
