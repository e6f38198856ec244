"""Relabelling. Expected values come from the documentation of relabel_config and of Go's regexp.Expand."""

import hashlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import ConfigError
from collector.relabel import ACTIONS, NameScheme, RelabelConfig, compile_rules, relabel

LABELS = {"a": "foo", "b": "bar", "c": "baz"}


def apply(
    labels: dict[str, str], *rules: dict[str, Any], scheme: NameScheme = "utf8"
) -> dict[str, str] | None:
    return relabel(labels, compile_rules([RelabelConfig(**rule) for rule in rules], scheme))


def test_sources_are_joined_by_the_separator() -> None:
    rule = {"source_labels": ("a", "b"), "separator": "-", "target_label": "d"}
    assert apply(LABELS, rule) == {**LABELS, "d": "foo-bar"}


def test_regex_matches_the_whole_value() -> None:
    assert (
        apply(LABELS, {"source_labels": ("a",), "regex": "fo", "target_label": "a", "replacement": "x"})
        == LABELS
    )


def test_dot_matches_a_line_feed() -> None:
    rule = {"source_labels": ("a",), "regex": "x.y", "target_label": "a", "replacement": "z"}
    assert apply({"a": "x\ny"}, rule) == {"a": "z"}


def test_missing_source_is_empty() -> None:
    assert apply(LABELS, {"source_labels": ("none",), "regex": "", "action": "drop"}) is None


def test_empty_replacement_removes_the_label() -> None:
    rule = {"source_labels": ("a",), "target_label": "b", "replacement": ""}
    assert apply(LABELS, rule) == {"a": "foo", "c": "baz"}


@pytest.mark.parametrize(
    ("replacement", "result"),
    [
        ("$1", "f"),
        ("${1}x", "fx"),
        ("$1x", ""),  # the name is `1x`, and there is no such group
        ("$rest", "oo"),
        ("${rest}$1", "oof"),
        ("$$1", "$1"),
        ("$9", ""),
        ("$", "$"),
        ("${", "${"),
    ],
)
def test_replacement_expands_as_in_go(replacement: str, result: str) -> None:
    rule = {
        "source_labels": ("a",),
        "regex": "(f)(?P<rest>.*)",
        "target_label": "r",
        "replacement": replacement,
    }
    assert (apply({"a": "foo"}, rule) or {}).get("r", "") == result


def test_group_that_took_no_part_is_empty() -> None:
    rule = {"source_labels": ("a",), "regex": "(x)?foo", "target_label": "a", "replacement": "[$1]"}
    assert apply({"a": "foo"}, rule) == {"a": "[]"}


def test_target_may_hold_variables() -> None:
    rule = {"source_labels": ("a",), "regex": "(.*)", "target_label": "x_$1", "replacement": "v"}
    assert apply({"a": "foo"}, rule) == {"a": "foo", "x_foo": "v"}


def test_target_that_expands_to_no_legacy_name_is_left_alone() -> None:
    rule = {"source_labels": ("a",), "target_label": "${1}", "replacement": "v"}
    assert apply({"a": "foo-bar"}, rule, scheme="legacy") == {"a": "foo-bar"}


def test_keep_drops_what_does_not_match() -> None:
    assert apply(LABELS, {"source_labels": ("a",), "regex": "f.o", "action": "keep"}) == LABELS
    assert apply(LABELS, {"source_labels": ("a",), "regex": "x", "action": "keep"}) is None


def test_rules_after_a_drop_do_not_run() -> None:
    drop = {"source_labels": ("a",), "regex": "foo", "action": "drop"}
    assert apply(LABELS, drop, {"target_label": "a", "replacement": "x"}) is None


def test_hashmod_is_that_of_the_last_eight_bytes_of_md5() -> None:
    rule = {"source_labels": ("c",), "target_label": "d", "action": "hashmod", "modulus": 1000}
    # md5("baz") = 73feffa4b7f6bb68e44cf984c85f6e88; 0xe44cf984c85f6e88 % 1000
    assert apply(LABELS, rule) == {**LABELS, "d": str(0xE44CF984C85F6E88 % 1000)}


def test_labelmap_copies_to_the_names_that_matches_give() -> None:
    rule = {"regex": "__meta_(.+)", "action": "labelmap"}
    assert apply({"__meta_x": "1", "y": "2"}, rule) == {"__meta_x": "1", "x": "1", "y": "2"}


def test_labeldrop_and_labelkeep_go_by_name() -> None:
    assert apply(LABELS, {"regex": "a|b", "action": "labeldrop"}) == {"c": "baz"}
    assert apply(LABELS, {"regex": "a|b", "action": "labelkeep"}) == {"a": "foo", "b": "bar"}


def test_case_is_mapped_rune_by_rune() -> None:
    upper = {"source_labels": ("a",), "target_label": "a", "action": "uppercase"}
    assert apply({"a": "straße"}, upper) == {"a": "STRAßE"}
    lower = {"source_labels": ("a",), "target_label": "a", "action": "lowercase"}
    assert apply({"a": "ΔΣ"}, lower) == {"a": "δσ"}


def test_keepequal_and_dropequal_compare_with_the_target_label() -> None:
    same = {"source_labels": ("a",), "target_label": "b"}
    assert apply({"a": "x", "b": "x"}, {**same, "action": "keepequal"}) == {"a": "x", "b": "x"}
    assert apply({"a": "x", "b": "y"}, {**same, "action": "keepequal"}) is None
    assert apply({"a": "x", "b": "x"}, {**same, "action": "dropequal"}) is None
    assert apply({"a": "x", "b": "y"}, {**same, "action": "dropequal"}) == {"a": "x", "b": "y"}


def test_action_is_read_in_any_case() -> None:
    assert apply(LABELS, {"source_labels": ("a",), "regex": "foo", "action": "Drop"}) is None


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"action": ""}, "relabel action cannot be empty"),
        ({"action": "replce"}, 'unknown relabel action "replce"'),
        ({"action": "hashmod", "target_label": "a"}, "requires non-zero modulus"),
        ({"action": "hashmod", "modulus": 2}, "requires 'target_label'"),
        ({"action": "replace"}, "relabel configuration for replace action requires 'target_label' value"),
        ({"action": "lowercase", "target_label": "a", "replacement": "x"}, "'replacement' can not be set"),
        ({"action": "labeldrop", "source_labels": ("a",)}, "labeldrop action requires only 'regex'"),
        ({"action": "dropequal", "target_label": "a", "regex": "x"}, "requires only 'source_labels'"),
        ({"target_label": "a", "regex": "a(b"}, "invalid regular expression 'a(b'"),
    ],
)
def test_contradictory_rule_is_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        RelabelConfig(**rule)


@pytest.mark.parametrize(
    ("rule", "scheme"),
    [
        ({"target_label": "a-b"}, "legacy"),
        ({"target_label": "a-$1"}, "legacy"),
        ({"action": "labelmap", "replacement": "a-$1"}, "legacy"),
        ({"action": "labelmap", "replacement": ""}, "utf8"),
    ],
)
def test_name_that_the_scheme_does_not_allow_is_refused(rule: dict[str, Any], scheme: NameScheme) -> None:
    with pytest.raises(ConfigError, match="is invalid"):
        RelabelConfig(**rule).check_names(scheme)


@pytest.mark.parametrize("target", ["a", "a_$1", "${1}_b", "__address__"])
def test_legacy_target_may_hold_variables(target: str) -> None:
    RelabelConfig(target_label=target).check_names("legacy")


NAMES = st.sampled_from(["a", "b", "ab", "ba", "abc"])
VALUES = st.text("abx;", max_size=4)
PATTERNS = st.sampled_from(["(.*)", "a", "a.*", "(a+)(b*)", ".+;.*", "(?:a|b)(.?)", ""])
REPLACEMENTS = st.sampled_from(["$1", "x", "", "p_${1}", "$2$1"])


def oracle(labels: dict[str, str], rule: RelabelConfig) -> dict[str, str] | None:  # noqa: C901  one branch an action, on purpose
    """Upstream's `relabel`, word by word, with Python's regular expressions."""
    joined = rule.separator.join(labels.get(name, "") for name in rule.source_labels)
    pattern, result = re.compile(rule.regex, re.DOTALL), dict(labels)
    match = pattern.fullmatch(joined)

    def expand(found: re.Match[str]) -> str:
        groups = [found.group(0), *(group or "" for group in found.groups())]
        at = lambda m: groups[int(m[1])] if int(m[1]) < len(groups) else ""  # noqa: E731  read in place
        return re.sub(r"\$\{?(\d)\}?", at, rule.replacement)

    def put(name: str, value: str) -> None:
        result.pop(name, None)
        if value:
            result[name] = value

    if rule.action == "replace" and match:
        put(rule.target_label, expand(match))
    elif rule.action == "keep":
        return result if match else None
    elif rule.action == "drop":
        return None if match else result
    elif rule.action in ("keepequal", "dropequal"):
        equal = labels.get(rule.target_label, "") == joined
        return result if equal == (rule.action == "keepequal") else None
    elif rule.action == "hashmod":
        last = hashlib.md5(joined.encode()).hexdigest()[16:]
        put(rule.target_label, str(int(last, 16) % rule.modulus))
    elif rule.action == "labelmap":
        for name in sorted(labels):
            found = pattern.fullmatch(name)
            if found:
                put(expand(found), labels[name])
    elif rule.action in ("labeldrop", "labelkeep"):
        hit = rule.action == "labelkeep"
        return {name: value for name, value in labels.items() if bool(pattern.fullmatch(name)) == hit}
    elif rule.action in ("lowercase", "uppercase"):
        put(rule.target_label, joined.lower() if rule.action == "lowercase" else joined.upper())
    return result


@st.composite
def rules(draw: st.DrawFn) -> RelabelConfig:
    action = draw(st.sampled_from(sorted(ACTIONS)))
    fields: dict[str, Any] = {"action": action}
    if action not in ("labeldrop", "labelkeep", "labelmap"):
        fields["source_labels"] = tuple(draw(st.lists(NAMES, max_size=3)))
        fields["target_label"] = draw(NAMES)
    if action not in ("keepequal", "dropequal"):
        fields["regex"] = draw(PATTERNS)
    if action == "replace":
        fields["replacement"] = draw(REPLACEMENTS)
    if action == "labelmap":
        fields["replacement"] = draw(st.sampled_from(["m_$1", "x"]))
    if action == "hashmod":
        fields["modulus"] = draw(st.integers(1, 2**64 - 1))
    return RelabelConfig(**fields)


@given(st.dictionaries(NAMES, VALUES.filter(bool)), st.lists(rules(), min_size=1, max_size=4))
def test_rules_do_what_the_oracle_does(labels: dict[str, str], configs: list[RelabelConfig]) -> None:
    expected: dict[str, str] | None = labels
    for config in configs:
        expected = None if expected is None else oracle(expected, config)
    assert relabel(labels, compile_rules(configs)) == expected
