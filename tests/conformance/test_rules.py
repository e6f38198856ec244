"""Upstream's rule files and unit tests of rules: their names and comments say what must become of them."""

from pathlib import Path

import pytest

from miniprom.cli import check_rules
from miniprom.cli.main import main

# Exit codes of `promtool test rules`, as upstream's cmd/promtool/unittest_test.go expects them.
TESTS = {
    "unittest.yml": 0,
    "no-test-group-interval.yml": 0,
    "negative-offset-test.yml": 0,
    "bad-input-series.yml": 1,
    "bad-promql.yml": 1,
    "bad-rules-error-test.yml": 1,
    "bad-rules-syntax-test.yml": 1,
    "failing.yml": 1,
}
# Exit codes of `promtool check rules --lint-fatal`.
RULES = {
    "rules.yml": 0,
    "bad-rules-error.yml": 0,
    "negative-offset.yml": 0,
    "bad-rules-syntax.yml": 1,
    "rules-bad.yml": 1,
    "rules_extrafields.yml": 1,
    "prometheus-rules.lint.yml": 3,
    "rules_duplicates.yml": 3,
}


@pytest.mark.parametrize(("name", "code"), TESTS.items())
def test_file_of_tests_passes_or_fails_as_upstream(
    conformance: Path, name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test", "rules", str(conformance / "rules" / name)]) == code, capsys.readouterr().out


def test_one_test_of_a_failing_file_can_be_run_alone(conformance: Path) -> None:
    file = str(conformance / "rules" / "failing.yml")
    assert main(["test", "rules", "--run", "^nothing is called so$", file]) == 0


@pytest.mark.parametrize(("name", "code"), RULES.items())
def test_rule_file_is_accepted_or_refused_as_upstream(
    conformance: Path, name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(conformance / "rules" / name)
    assert check_rules.run(["--lint-fatal", file]) == code, capsys.readouterr().err


def test_unknown_fields_can_be_ignored(conformance: Path) -> None:
    file = str(conformance / "rules" / "rules_extrafields.yml")
    assert check_rules.run(["--ignore-unknown-fields", file]) == 0


def test_every_case_is_expected(conformance: Path) -> None:
    assert {file.name for file in (conformance / "rules").glob("*.yml")} == TESTS.keys() | RULES.keys()
