"""The language. Expected values: the documentation of Go's text/template."""

import pytest

from miniprom.templates import Template, TemplateError
from tests.miniprom.templates.support import expanded

LABELS = {"job": "flux", "instance": "host:8080"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain text", "plain text"),
        ("{{ 1 }}", "1"),
        ("{{ $labels.job }} {{ .Labels.job }} {{ $.Labels.job }}", "flux flux flux"),
        ("{{ $value }} {{ .Value }}", "1 1"),
        ("{{ $externalLabels.region }} {{ .ExternalLabels.region }}", "eu eu"),
        ("{{ $externalURL }}", "http://testhost:9090/path/prefix"),
        ("[{{ $labels.absent }}]", "[]"),
        ("{{ $labels }}", "map[instance:host:8080 job:flux]"),
        ('{{ "a\\tb" }}{{ `raw\\t` }}', "a\tbraw\\t"),
        ("{{ 'a' }} {{ 0x1F }} {{ 017 }} {{ 1_000 }} {{ 1e3 }} {{ -3 }}", "97 31 15 1000 1000 -3"),
        ("{{ true }}", "true"),
    ],
)
def test_values(template: str, text: str) -> None:
    assert expanded(template, labels=LABELS) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("a  {{- 1 -}}  b", "a1b"),
        ("a {{ 1 -}} \n b", "a 1b"),
        ("{{-3}}", "-3"),
        ("a {{/* no {{ action */}} b", "a  b"),
        ("a {{- /* trims */ -}} b", "ab"),
        ("{{ 1\n}}", "1"),
        ("}} {", "}} {"),
    ],
)
def test_trimming_and_comments(template: str, text: str) -> None:
    assert expanded(template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ if $labels.job }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ if $labels.absent }}yes{{ else }}no{{ end }}", "no"),
        ("{{ if 0 }}a{{ else if 0.0 }}b{{ else if 1 }}c{{ else }}d{{ end }}", "c"),
        ("{{ if gt $value 1.0 }}high{{ end }}", ""),
        ("{{ with $labels.job }}{{ . }}{{ end }}", "flux"),
        ("{{ with $labels.absent }}{{ . }}{{ else }}none{{ end }}", "none"),
        ("{{ with false }}a{{ else with 4 }}{{ . }}{{ end }}", "4"),
        ("{{ with $x := 3 }}{{ $x }}{{ . }}{{ end }}", "33"),
        ("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "instance=host:8080;job=flux;"),
        ("{{ range $v := $labels }}{{ $v }};{{ end }}", "host:8080;flux;"),
        ("{{ range $labels }}{{ . }};{{ end }}", "host:8080;flux;"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range 0 }}{{ . }}{{ else }}none{{ end }}", "none"),
        ("{{ range 9 }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}", "012"),
        ("{{ range 4 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "023"),
    ],
)
def test_control(template: str, text: str) -> None:
    assert expanded(template, labels=LABELS) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"),
        ("{{ $n := 0 }}{{ range $i, $e := $labels }}{{ $n = $e }}{{ end }}{{ $n }}", "flux"),
        ("{{ $a := 1 }}{{ $b := print $a 2 }}{{ $b }}", "1 2"),
    ],
)
def test_variables(template: str, text: str) -> None:
    assert expanded(template, labels=LABELS) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{ define "x" }}{{ .arg0 }} {{ .arg1 }}{{ end }}{{ template "x" (args 1 "2") }}', "1 2"),
        ('{{ template "x" . }}{{ define "x" }}{{ .Value }}{{ end }}', "1"),
        ('{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" }}', "[<no value>]"),
        ('{{ block "x" 5 }}{{ . }}{{ end }}', "5"),
        ('{{ define "x" }}{{ .arg2 }}{{ end }}{{ template "x" (args 1) }}', "<no value>"),
    ],
)
def test_templates_within_templates(template: str, text: str) -> None:
    assert expanded(template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ and 1 0 }} {{ or 0 2 }} {{ not 0 }}", "0 2 true"),
        ('{{ or "" "b" }} {{ 3 | and 2 }}', "b 3"),
        ("{{ and false (index $labels 1) }}", "false"),
        ("{{ eq 1 1 }} {{ eq 1 2 1 }} {{ ne 1 2 }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt 2.5 1.5 }} {{ ge 1 2 }}",
         "true true true true true true false"),
        ('{{ eq $labels.job "flux" }} {{ lt "a" "b" }}', "true true"),
        ('{{ len "aé" }} {{ len $labels }}', "3 2"),
        ('{{ index $labels "job" }}[{{ index $labels "absent" }}]', "flux[]"),
        ('{{ slice "abcdef" 1 3 }} {{ slice "abc" 1 }} {{ slice "abc" }}', "bc bc abc"),
        ("{{ html `<a href=\"x\">'&` }}", "&lt;a href=&#34;x&#34;&gt;&#39;&amp;"),
        ("{{ js `it's <\"=` }}", "it\\'s \\u003C\\\"\\u003D"),
        ('{{ urlquery "a b&c" }}', "a+b%26c"),
        ('{{ print 1 2 "a" 3 }}|{{ println "a" 1 }}', "1 2a3|a 1\n"),
        ('{{ "x" | printf "%s-%s" "y" }}', "y-x"),
        ("{{ (1) }}{{ ((print 2)) }}", "12"),
    ],
)  # fmt: skip
def test_functions_of_go(template: str, text: str) -> None:
    assert expanded(template, labels=LABELS) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ gt $value 1 }}", "error calling gt: incompatible types for comparison"),
        ("{{ eq 1 1.0 }}", "error calling eq: incompatible types for comparison"),
        ("{{ lt true false }}", "error calling lt: invalid type for comparison"),
        ("{{ eq 1 }}", "error calling eq: missing argument for comparison"),
        ('{{ index "abc" 3 }}', "error calling index: index out of range: 3"),
        ('{{ slice "abc" 2 1 }}', "error calling slice: invalid slice index: 2 > 1"),
        ("{{ len 3 }}", "error calling len: len of type int"),
        ("{{ $value.Foo }}", "can't evaluate field Foo in type float64"),
        ("{{ $labels.job.x }}", "can't evaluate field x in type string"),
        ('{{ (query "missing").banana }}', "can't evaluate field banana in type template.queryResult"),
        ('{{ $labels.job "x" }}', "job is not a method but has arguments"),
        ('{{ .Value "x" }}', "Value has arguments but cannot be invoked as function"),
        ('{{ $value "x" }}', "can't give argument to non-function $value"),
        ('{{ 1 "x" }}', "can't give argument to non-function 1"),
        ("{{ nil }}", "nil is not a command"),
        ("{{ range $labels.job }}{{ end }}", "range can't iterate over flux"),
        ('{{ template "x" }}', 'template "x" not defined'),
        ("{{ toUpper nil }}", "cannot assign nil to string"),
    ],
)
def test_faults_of_expanding(template: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        expanded(template, labels=LABELS)
    assert caught.value.message == message


def test_fault_of_expanding_points_at_what_was_looked_at_last() -> None:
    with pytest.raises(TemplateError) as caught:
        expanded('ä\nü {{ (query "missing").banana }}')
    assert str(caught.value) == (
        '2:13: at <"missing"> can\'t evaluate field banana in type template.queryResult'
    )


@pytest.mark.parametrize(
    ("template", "column"),
    [("{{ .Value.x }}", 9), ("{{ $value.x }}", 9), ("{{ .x }}", 3), ("{{ (.Value).x }}", 4)],
)
def test_fault_in_a_chain_of_names_points_where_go_points(template: str, column: int) -> None:
    with pytest.raises(TemplateError) as caught:
        expanded(template)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("template", "line", "message"),
    [
        ("{{", 1, "unclosed action"),
        ("\n{{ 1", 2, "unclosed action"),
        ("{{ if 1 }}", 1, "unexpected EOF"),
        ("{{ end }}", 1, "unexpected {{end}}"),
        ("{{ else }}", 1, "unexpected {{else}}"),
        ("{{ }}", 1, "missing value for command"),
        ("{{ if }}{{ end }}", 1, "missing value for if"),
        ("{{ 1 | }}", 1, "missing value for command"),
        ("{{\u00a0}}", 1, "unrecognized character in action: U+00A0"),
        ("{{ $x }}", 1, 'undefined variable "$x"'),
        ("{{ if 1 }}{{ $x := 1 }}{{ end }}{{ $x }}", 1, 'undefined variable "$x"'),
        ('{{ define "x" }}{{ $labels }}{{ end }}', 1, 'undefined variable "$labels"'),
        ("{{ $x = 1 }}", 1, 'undefined variable "$x"'),
        ("{{ tmpl }}", 1, 'function "tmpl" not defined'),
        ('{{ "a }}', 1, "unterminated quoted string"),
        ("{{ `a }}", 1, "unterminated raw quoted string"),
        ("{{ 'a }}", 1, "unterminated character constant"),
        ("{{ (1 }}", 1, "unclosed left paren"),
        ("{{ 1) }}", 1, "unexpected right paren"),
        ("{{/* }}", 1, "unclosed comment"),
        ("{{ 1x }}", 1, 'bad number syntax: "1x"'),
        ("{{ 99999999999999999999 }}", 1, 'integer overflow: "99999999999999999999"'),
        ("{{ .a-b }}", 1, "bad character U+002D '-'"),
        ('{{ "a""b" }}', 1, 'unexpected "\\"b\\"" in operand'),
        ("{{ 1.foo }}", 1, 'bad number syntax: "1.f"'),
        ("{{ break }}", 1, "{{break}} outside {{range}}"),
        ("{{ $a, $b := 1 }}", 1, "too many declarations in command"),
        ("{{ 1 | 2 }}", 1, "non executable command in pipeline stage 2"),
        ('{{ define "x" }}{{ end }}{{ define "x" }}{{ end }}', 1, 'multiple definition of template "x"'),
        ('{{ if 1 }}{{ define "x" }}{{ end }}{{ end }}', 1, "unexpected {{define}}"),
    ],
)  # fmt: skip
def test_faults_of_parsing(template: str, line: int, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(template)
    assert (caught.value.line, caught.value.message) == (line, message)
    assert caught.value.described("test") == f"error parsing template test: template: test:{line}: {message}"
