"""No template stops the server: only `TemplateError`, and soon."""

from contextlib import suppress
from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from miniprom.templates import Template, TemplateError
from miniprom.templates.functions import FUNCTIONS
from tests.miniprom.templates.support import expanded, vector

SAMPLES = vector(({"job": "a"}, 1.0), ({"job": "b"}, 2.0))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ range 999999999 }}{{ end }}", "more than 100000 steps"),
        ("{{ range 99999 }}{{ range 99999 }}{{ . }}{{ end }}{{ end }}", "more than 100000 steps"),
        ('{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}', "nested more than 100 deep"),
        ('{{ $x := "aaaaaaaaaa" }}{{ range 99 }}{{ $x = print $x $x }}{{ end }}', "longer than 1048576"),
        ('{{ reReplaceAll "" "' + "x" * 2000 + '" (printf "%2000s" "") }}', "longer than 1048576"),
        ('{{ range 99999 }}{{ printf "%9999s" "" }}{{ end }}', "longer than 1048576"),
        ('{{ printf "' + "%9999[1]s" * 200 + '" "" }}', "longer than 1048576"),
    ],
)
def test_what_takes_too_much_is_refused(template: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        expanded(template)


@pytest.mark.parametrize(
    "template", ["{{ if 1 }}" * 200 + "{{ end }}" * 200, "{{ " + "(" * 200 + "1" + ")" * 200 + " }}"]
)
def test_deep_nesting_is_refused(template: str) -> None:
    with pytest.raises(TemplateError, match=r"deep|depth"):
        Template.parse(template)


def test_the_deepest_nesting_that_parses_is_expanded() -> None:
    parens = "{{ " + "(print " * 40 + "1" + ")" * 40 + " }}"
    assert expanded("{{ if 1 }}" * 50 + parens + "{{ end }}" * 50) == "1"


_FRAGMENTS: Final = (
    *(
        "{{",
        "}}",
        "{{-",
        "-}}",
        "(",
        ")",
        "|",
        ",",
        ":=",
        "=",
        ".",
        "$",
        "$x",
        "$labels",
        "$value",
        ".Labels",
    ),
    *(".Value", ".job", "if", "else", "end", "range", "with", "define", "template", "block", "break", "nil"),
    *("continue", "true", "1", "1.5", "-3", "0x1F", "'a'", '"a"', '"x"', "`r`", "print", "printf", '"%d"'),
    *('"%[9]*v"', "len", "index", "slice", "eq", "lt", "and", "or", "not", "humanize", "toTime", ".Format"),
    *("query", "first", "value", "label", "args", "text", "\u00e4", "/*", "*/", "\n"),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(_FRAGMENTS), max_size=25), st.sampled_from(["", " "]))
def test_any_text_is_expanded_or_refused(fragments: list[str], joiner: str) -> None:
    with suppress(TemplateError):
        expanded(joiner.join(fragments), answer=SAMPLES)


_TERMS: Final = (
    *("$labels", "$value", ".Value", "1", "2.5", "true", "nil", '"a"', '"3"', '"%5v"', "now", "-1", '"("'),
    *('"[::1]:80"', "(query `x`)", "(query `x` | first)", "(toTime `5`)", "(toDuration `5`)", "(args `a` 1)"),
)
_CALLS: Final = (
    *FUNCTIONS,
    "(toTime `5`).Format",
    "(toTime `5`).Add",
    "(toTime `5`).Sub",
    "(toDuration `1e9`).Hours",
)


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(_CALLS),
    st.lists(st.sampled_from(_TERMS), max_size=3),
    st.lists(st.sampled_from(_CALLS), max_size=2),
)
def test_any_call_of_any_function_gives_a_text_or_is_refused(
    call: str, arguments: list[str], pipeline: list[str]
) -> None:
    template = "{{ " + " | ".join([" ".join([call, *arguments]), *pipeline]) + " }}"
    Template.parse(template)
    with suppress(TemplateError):
        expanded(template, answer=SAMPLES)


@given(st.text(max_size=60))
def test_text_without_actions_stays_as_it_is(text: str) -> None:
    assume("{{" not in text)
    assert expanded(text) == text
