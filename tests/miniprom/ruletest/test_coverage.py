"""What a test made rules do, and what is told of the rest."""

from pathlib import Path

import pytest

from miniprom.cli import main
from miniprom.ruletest import load_test_file, run_test_file
from miniprom.ruletest.coverage import Coverage
from miniprom.ruletest.runner import TestOptions


def missing(folder: Path, rule: str, values: dict[str, str], *, minutes: int = 5) -> list[str]:
    """The sentences about one rule over input series, without its place, which stands on line 3."""
    return coverage(folder, rule, values, minutes=minutes)[1:]


def coverage(folder: Path, rule: str, values: dict[str, str], *, minutes: int = 5) -> list[str]:
    """The summary, and the sentences."""
    watched = Coverage()
    run(folder, rule, values, minutes, watched)
    return [line.removeprefix(f"  {folder}/rules.yml:3: ") for line in watched.lines()]


def run(folder: Path, rule: str, values: dict[str, str], minutes: int, watched: Coverage) -> None:
    (folder / "rules.yml").write_text(f"groups:\n- name: g\n  rules: [{{{rule}}}]\n")
    series = "".join(f"  - {{series: '{name}', values: '{text}'}}\n" for name, text in values.items())
    test = f"rule_files: [rules.yml]\ntests:\n- promql_expr_test: [{{expr: none, eval_time: {minutes}m}}]\n"
    (folder / "test.yml").write_text(f"{test}  input_series:\n{series}")
    (result,) = run_test_file(load_test_file(str(folder / "test.yml")), TestOptions(coverage=watched))
    assert result.problems == ()


def test_rule_without_effect_is_named_with_its_place_and_nothing_else_is_told_of_it(tmp_path: Path) -> None:
    watched = Coverage()
    run(tmp_path, "alert: A, expr: x > 1 or y, for: 1m", {"x": "1x9"}, 5, watched)
    assert watched.lines() == [
        "Coverage: 0 of 1 rules, 0 of 4 branches",
        f'  {tmp_path}/rules.yml:3: alert "A" never fired',
    ]


def test_rule_with_an_effect_counts_as_covered(tmp_path: Path) -> None:
    assert coverage(tmp_path, "record: r, expr: x", {"x": "1x9"}) == [
        "Coverage: 1 of 1 rules, 0 of 0 branches"
    ]
    assert missing(tmp_path, "record: r, expr: x", {"y": "1x9"}) == ['record "r" recorded nothing']


def test_what_several_tests_do_counts_together(tmp_path: Path) -> None:
    watched = Coverage()
    for name in "xy":
        run(tmp_path, "record: r, expr: x or y", {name: "1x9"}, 5, watched)
    assert watched.lines() == ["Coverage: 1 of 1 rules, 2 of 2 branches"]


@pytest.mark.parametrize(
    ("values", "missed"),
    [
        ("0 1x3 0x5", []),
        ("0 1x9", ["never resolved"]),
        ("0 1 0x9", ["never fired"]),
        ("0x9", ["never fired"]),
    ],
)
def test_states_of_an_alert_are_branches(tmp_path: Path, values: str, missed: list[str]) -> None:
    found = missing(tmp_path, "alert: A, expr: x == 1, for: 1m", {"x": values}, minutes=9)
    assert found == [f'alert "A" {sentence}' for sentence in missed]


@pytest.mark.parametrize(("keep", "is_kept"), [("2m", True), ("0s", False)])
def test_keep_firing_for_is_a_branch_where_it_is_given(tmp_path: Path, keep: str, is_kept: bool) -> None:
    rule = f"alert: A, expr: x == 1, keep_firing_for: {keep}"
    sentences = ['alert "A" never went on firing for keep_firing_for'] if is_kept else []
    assert missing(tmp_path, rule, {"x": "1x9"}) == [*sentences, 'alert "A" never resolved']
    assert missing(tmp_path, rule, {"x": "1 0x9"}) == []


@pytest.mark.parametrize(
    ("expr", "sentences"),
    [
        ("a or b", []),
        ("a or c", []),
        ("a or a", ["never got anything from `or a`"]),
        ("none or a", ["never got anything from `none`"]),
        ("a or b or vector(0)", []),
        (
            "a or none or (other)",
            ["never got anything from `or none`", "never got anything from `or (other)`"],
        ),
        ("a or on () b", ["never got anything from `or on () b`"]),
        ('a and a{k="1"}', []),
        ("a and a", ["never lost anything to `and a`"]),
        ('a unless a{k="1"}', []),
        ("a unless b", ["never lost anything to `unless b`"]),
        ("sum(a or none)", ["never got anything from `or none`"]),
        ("sum_over_time((a or none)[2m:])", []),
    ],
)
def test_operand_that_makes_no_difference_is_a_branch_not_seen(
    tmp_path: Path, expr: str, sentences: list[str]
) -> None:
    values = {'a{k="1"}': "1x9", 'a{k="2"}': "1x9", 'b{k="3"}': "1x9", 'c{k="2"}': "2x9", 'c{k="4"}': "2x9"}
    found = missing(tmp_path, f"record: r, expr: '{expr}'", values)
    assert found == [f'record "r" {sentence}' for sentence in sentences]


@pytest.mark.parametrize(
    ("template", "sentences"),
    [
        ("{{ if gt $value 1.0 }}many{{ else }}one{{ end }}", []),
        ("{{ if gt $value 2.0 }}many{{ end }}", ["never entered `{{ if gt $value 2.0 }}`"]),
        ("{{ if gt $value 0.0 }}many{{ end }}", ["never skipped `{{ if gt $value 0.0 }}`"]),
        ("{{ with $labels.none }}{{ . }}{{ end }}", ["never entered `{{ with $labels.none }}`"]),
        ('{{ range query "x" }}{{ .Value }}{{ end }}', ['never skipped `{{ range query "x" }}`']),
        ('{{ range query "none" }}{{ .Value }}{{ end }}', ['never entered `{{ range query "none" }}`']),
        (
            '{{ define "d" }}{{ if . }}{{ end }}{{ end }}{{ template "d" $value }}',
            ["never skipped `{{ if . }}`"],
        ),
        (
            "{{ if gt $value 1.0 }}{{ if gt $value 5.0 }}{{ end }}{{ else if gt $value 0.0 }}{{ end }}",
            ["never entered `{{ if gt $value 5.0 }}`", "never skipped `{{ if gt $value 0.0 }}`"],
        ),
    ],
)
def test_ways_of_a_template_are_branches(tmp_path: Path, template: str, sentences: list[str]) -> None:
    rule = f"alert: A, expr: x > 0, annotations: {{text: '{template}'}}"
    found = missing(tmp_path, rule, {"x": "0 1 2 0x9"})
    assert found == [f'alert "A" {sentence} in annotation "text"' for sentence in sentences]


def test_command_tells_it_after_the_tests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, "record: r, expr: x or y", {"x": "1x9"}, 5, Coverage())
    assert main(["test", "rules", "--coverage", str(tmp_path / "test.yml")]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Coverage: 1 of 1 rules, 1 of 2 branches",
        f'  {tmp_path}/rules.yml:3: record "r" never got anything from `or y`',
    ]
