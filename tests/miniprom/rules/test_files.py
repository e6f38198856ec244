"""Rule files: what they say, and what is said of their faults."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniprom.rules.errors import RuleFileError
from miniprom.rules.files import RuleFileOptions, load_rule_files, matching_files, parse_rule_file
from miniprom.rules.model import AlertingRule, RecordingRule, RuleGroup
from miniprom.rules.states import Timing
from query import parse

FILE = """
groups:
  - name: up
    interval: 30s
    limit: 10
    query_offset: 1m
    labels: {team: infra, severity: low}
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1m
        labels: {severity: page}
        annotations: {summary: it is down}
  - name: defaults
    rules: [{record: a, expr: 1}]
"""


DEFAULTS = RuleFileOptions()


def groups(text: str, options: RuleFileOptions = DEFAULTS) -> tuple[RuleGroup, ...]:
    return parse_rule_file(text, "rules.yml", options)


def problems(rule: str, options: RuleFileOptions = DEFAULTS) -> tuple[str, ...]:
    """The faults of one rule, which begins on line 4."""
    with pytest.raises(RuleFileError) as caught:
        groups(f"groups:\n- name: g\n  rules:\n  - {{{rule}}}\n", options)
    return caught.value.problems


def test_group_with_all_its_keys() -> None:
    group = groups(FILE)[0]
    assert group == RuleGroup(
        file="rules.yml",
        name="up",
        interval_ms=30_000,
        limit=10,
        query_offset_ms=60_000,
        rules=(
            RecordingRule("job:up:sum", parse("sum by (job) (up)"), (("severity", "low"), ("team", "infra"))),
            AlertingRule(
                "Down",
                parse("up == 0"),
                (("severity", "page"), ("team", "infra")),
                (("summary", "it is down"),),
                Timing(300_000, 60_000),
            ),
        ),
    )
    assert group.key == "rules.yml;up"


def test_group_that_moved_in_its_file_has_not_changed() -> None:
    before, after = groups(FILE), groups(f"# a remark\n{FILE}")
    assert before == after
    assert [group.rules[0].line for group in (before[0], after[0])] == [9, 10]


def test_group_without_an_interval_takes_that_of_the_configuration() -> None:
    group = groups(FILE, RuleFileOptions(interval_ms=15_000))[1]
    assert (group.interval_ms, group.query_offset_ms, group.limit) == (15_000, None, 0)


def test_number_is_an_expression() -> None:
    assert groups(FILE)[1].rules[0].expr == parse("1")


def test_empty_file_has_no_groups() -> None:
    assert groups("") == ()


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("record: a, alert: b, expr: x", "only one of record and alert must be set"),
        ("expr: x", "one of record and alert must be set"),
        ("record: a", "expr must be set"),
        ("record: a, expr: x, for: 1m", '"for" is for alerts; a recording rule has none'),
        ("record: a, expr: x, keep_firing_for: 1m", '"keep_firing_for" is for alerts; a recording rule'),
        ("record: a, expr: x, annotations: {b: c}", '"annotations" is for alerts; a recording rule'),
        ("record: 'a{b}', expr: x", 'braces in the name "a{b}"; do they belong into expr?'),
        ("record: a, expr: x, labels: {__name__: c}", 'invalid label name: "__name__"'),
    ],
)
def test_fault_of_a_rule_is_told_with_its_place(rule: str, problem: str) -> None:
    (found,) = problems(rule)
    assert found.startswith('rules.yml:4: group "g", rule 1, "')
    assert problem in found


def test_bad_expression_is_drawn_with_its_place() -> None:
    (found,) = problems("record: a, expr: 'sum(x'")
    assert found == (
        'rules.yml:4: group "g", rule 1, "a": could not parse expression: '
        "1:6: parse error: unclosed left parenthesis\n  sum(x\n       ^"
    )


def test_names_are_checked_by_the_scheme() -> None:
    options = RuleFileOptions(name_scheme="legacy")
    assert problems("record: a.b, expr: x, labels: {c.d: e}", options) == (
        'rules.yml:4: group "g", rule 1, "a.b": invalid name: "a.b"',
        'rules.yml:4: group "g", rule 1, "a.b": invalid label name: "c.d"',
    )
    assert groups("groups: [{name: g, rules: [{record: a.b, expr: x}]}]")


def test_all_faults_of_a_file_are_told_in_the_order_of_lines() -> None:
    text = "groups:\n- name: g\n  rules: [{expr: x}]\n- name: g\n- rules: []\n"
    with pytest.raises(RuleFileError) as caught:
        groups(text)
    assert caught.value.problems == (
        'rules.yml:3: group "g", rule 1, "": one of record and alert must be set',
        'rules.yml:4: group "g" is already defined on line 2',
        "rules.yml:5: a group needs a name",
    )


def test_mistyped_key_is_answered_with_the_nearest_unless_unknown_keys_are_ignored() -> None:
    text = "groups: [{name: g, rules: [{alert: a, exp: x, expr: x}]}]"
    with pytest.raises(RuleFileError, match=r'rules.yml:1: .*unknown key "exp"; did you mean "expr"\?'):
        groups(text)
    assert groups(text, RuleFileOptions(ignore_unknown_keys=True))


def test_expression_may_need_a_feature() -> None:
    assert (
        'function "sort_by_label" is not enabled' in problems("record: a, expr: 'sort_by_label(x, \"y\")'")[0]
    )


FRAGMENTS = (
    *("groups:", " - ", "name: ", "rules: ", "[", "]", "{", "}", "record: a", "alert: b", "expr: ", "sum("),
    *("labels: ", "for: ", "1m", "'", "{{ .x }}", "{{", "annotations: ", "\n", "  ", ",", "&a ", "*a"),
)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30))
def test_any_text_is_a_rule_file_or_refused(fragments: list[str]) -> None:
    with contextlib.suppress(RuleFileError):
        groups("".join(fragments))


@pytest.mark.parametrize("text", ["groups: &a [*a]", "&a {groups: *a}"])
def test_alias_that_refers_to_itself_is_refused(text: str) -> None:
    with pytest.raises(RuleFileError, match="an alias refers to itself"):
        groups(text)


def test_pattern_names_files_in_order_and_each_once(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yml"):
        (tmp_path / name).write_text("")
    patterns = [str(tmp_path / "*.yml"), str(tmp_path / "a.yml"), str(tmp_path / "none-*")]
    assert matching_files(patterns) == ([str(tmp_path / "a.yml"), str(tmp_path / "b.yml")], patterns[2:])


def test_faults_of_several_files_are_told_together(tmp_path: Path) -> None:
    files = [tmp_path / "a.yml", tmp_path / "b.yml"]
    for file in files:
        file.write_text("groups: [{name: ''}]")
    with pytest.raises(RuleFileError) as caught:
        load_rule_files([str(file) for file in files])
    assert caught.value.problems == tuple(f"{file}:1: a group needs a name" for file in files)
