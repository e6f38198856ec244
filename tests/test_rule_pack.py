"""The rules for Flux in deploy/: tested by ours and by promtool, every alert shown firing and not firing."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from miniprom.cli import main
from miniprom.ruletest import load_test_file, run_test_file
from miniprom.ruletest.coverage import Coverage
from miniprom.ruletest.runner import TestOptions
from tests.end_to_end.programs import program

ROOT = Path(__file__).parent.parent
PACK = ROOT / "deploy" / "rules"
TEST_FILES = sorted(PACK.glob("*_test.yml"))


def _alerts(rule_file: Path) -> set[str]:
    groups = yaml.safe_load(rule_file.read_text())["groups"]
    return {rule["alert"] for group in groups for rule in group["rules"]}


def _expectations(test_file: Path) -> list[dict[str, Any]]:
    tests = yaml.safe_load(test_file.read_text())["tests"]
    return [expectation for test in tests for expectation in test["alert_rule_test"]]


def test_every_rule_file_has_tests() -> None:
    rule_files = {path.stem for path in PACK.glob("*.yml")} - {path.stem for path in TEST_FILES}
    assert {path.stem.removesuffix("_test") for path in TEST_FILES} == rule_files != set()


@pytest.mark.parametrize("test_file", TEST_FILES, ids=lambda path: path.stem)
def test_every_alert_is_shown_firing_and_not_firing(test_file: Path) -> None:
    alerts = _alerts(PACK / test_file.name.replace("_test", ""))
    for fires in (True, False):
        shown = {each["alertname"] for each in _expectations(test_file) if bool(each["exp_alerts"]) == fires}
        assert shown >= alerts


@pytest.mark.parametrize("test_file", TEST_FILES, ids=lambda path: path.stem)
def test_our_runner_passes_the_tests(test_file: Path) -> None:
    assert main(["test", "rules", str(test_file)]) == 0


def test_no_state_operand_or_way_of_a_template_is_without_a_test() -> None:
    coverage = Coverage()
    for test_file in TEST_FILES:
        tests = load_test_file(str(test_file))
        assert all(not result.problems for result in run_test_file(tests, TestOptions(coverage=coverage)))
    assert coverage.lines()[1:] == []


@pytest.mark.peer
@pytest.mark.parametrize("test_file", TEST_FILES, ids=lambda path: path.stem)
def test_promtool_passes_the_tests(test_file: Path) -> None:
    ran = subprocess.run(
        [program("promtool"), "test", "rules", str(test_file)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_page_names_every_alert() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text()
    alerts = {name for path in TEST_FILES for name in _alerts(PACK / path.name.replace("_test", ""))}
    assert {name for name in alerts if f"| `{name}` |" not in page} == set()
