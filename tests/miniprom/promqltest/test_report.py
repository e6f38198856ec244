from pathlib import Path

import pytest

from miniprom.cli.test import run as run_command
from miniprom.promqltest import Detail, run_files

SCRIPT = "load 1m\n  m 1\n\neval instant at 0 m\n  m 1\n\neval instant at 0 m\n  m 2\n"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "s.test"
    path.write_text(SCRIPT)
    return path


def told(path: Path, detail: Detail, only_line: int | None = None) -> tuple[int, list[str]]:
    lines: list[str] = []
    code = run_files([path], detail=detail, only_line=only_line, write=lines.append)
    return code, lines


def test_failures_are_told_with_place_query_and_difference(script: Path) -> None:
    code, lines = told(script, Detail.FAILURES)
    assert code == 1
    assert lines == [f"FAILED {script}:7: m", "    m{} at 0s: expected 2, got 1", "1 passed, 1 failed"]


def test_all_cases_are_told_on_demand(script: Path) -> None:
    assert told(script, Detail.ALL)[1][0] == f"passed {script}:4: m"


def test_summary_alone(script: Path) -> None:
    assert told(script, Detail.SUMMARY) == (1, ["1 passed, 1 failed"])


def test_one_line_alone(script: Path) -> None:
    assert told(script, Detail.FAILURES, only_line=4) == (0, ["1 passed, 0 failed"])


def test_line_without_a_case_is_a_failure(script: Path) -> None:
    assert told(script, Detail.FAILURES, only_line=5)[0] == 1


def test_script_that_can_not_be_read_is_a_failure(tmp_path: Path) -> None:
    code, lines = told(tmp_path / "none.test", Detail.FAILURES)
    assert code == 1
    assert lines[-1] == "0 passed, 1 failed"


def test_script_with_a_mistake_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "s.test"
    path.write_text("lod 1m")
    code, lines = told(path, Detail.FAILURES)
    assert code == 1
    assert lines[0].startswith(f"{path}:1: expected load, clear or eval")


def test_command_prints_and_exits_with_the_code(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["promql", "--quiet", str(script)]) == 1
    assert capsys.readouterr().out == "1 passed, 1 failed\n"
