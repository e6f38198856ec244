"""`miniprom check rules`: exit codes and what is printed where."""

import io
from pathlib import Path

import pytest

from miniprom.cli.check_rules import run

GOOD = "groups: [{name: g, rules: [{record: a, expr: x}, {alert: A, expr: x > 1}]}]"
BAD = "groups: [{name: g, rules: [{record: a, expr: x, for: 1m}, {expr: y}]}]"
TWICE = "groups: [{name: g, labels: {l: v}, rules: [{record: a, expr: x}, {record: a, expr: y}]}]"


def write(folder: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text)
    return [str(folder / f"{name}.yml") for name in files]


def test_good_files_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write(tmp_path, a=GOOD, b="")
    assert run(files) == 0
    assert capsys.readouterr().out == (
        f"Checking {files[0]}\n  SUCCESS: 2 rules found\n\nChecking {files[1]}\n  SUCCESS: 0 rules found\n\n"
    )


def test_all_faults_of_all_files_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write(tmp_path, a=BAD, b=GOOD, c="groups: [")
    assert run([*files, str(tmp_path / "none.yml")]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("SUCCESS") == 1
    faults = [line.removeprefix(f"{tmp_path}/").partition(" ")[0] for line in printed.err.splitlines()]
    assert faults == ["", "a.yml:1:", "a.yml:1:", "", "c.yml:1:", "", "none.yml:"]


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [([], 0, True), (["--lint-fatal"], 3, True), (["--lint-fatal", "--lint=none"], 0, False)],
)
def test_duplicate_rules_are_lint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, told: bool
) -> None:
    assert run([*options, *write(tmp_path, a=TWICE)]) == code
    assert ("1 duplicate rule(s) found:\n  a\n    l: v\n" in capsys.readouterr().err) is told


def test_fault_outweighs_lint(tmp_path: Path) -> None:
    assert run(["--lint-fatal", *write(tmp_path, a=TWICE, b=BAD)]) == 1


def test_standard_input_is_read_without_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(BAD))
    assert run([]) == 1
    assert "standard input:1: " in capsys.readouterr().err


def test_features_let_functions_in(tmp_path: Path) -> None:
    text = "groups: [{name: g, rules: [{record: a, expr: 'sort_by_label(x, `l`)'}]}]"
    files = write(tmp_path, a=text)
    assert run(files) == 1
    assert run(["--enable-feature=promql-experimental-functions", *files]) == 0
