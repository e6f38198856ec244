"""What a person reads after test scripts ran."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from miniprom.promqltest.errors import ScriptError
from miniprom.promqltest.parser import parse_script
from miniprom.promqltest.runner import CaseResult, run_script


class Detail(Enum):
    """Which cases are told of, one by one."""

    SUMMARY = "summary"
    FAILURES = "failures"
    ALL = "all"


@dataclass
class _Tally:
    passed: int = 0
    failed: int = 0


def run_files(
    paths: Sequence[Path],
    *,
    detail: Detail = Detail.FAILURES,
    only_line: int | None = None,
    write: Callable[[str], object] = print,
) -> int:
    """Run scripts, each on a store of its own; the exit code: 0 if all cases passed, else 1.

    `only_line` keeps to the case that begins on that line; all `load`s are run. Lines go to `write`; the last
    one is `N passed, N failed`.
    """
    tally = _Tally()
    for path in paths:
        try:
            script = parse_script(path.read_text(encoding="utf-8"), str(path))
        except (ScriptError, OSError) as error:
            write(str(error))
            tally.failed += 1
            continue
        for case in run_script(script):
            if only_line in (None, case.line):
                _tell(case, str(path), detail, write)
                tally.passed += case.passed
                tally.failed += not case.passed
    if only_line is not None and not tally.passed + tally.failed:
        write(f"no case begins on line {only_line}")
        tally.failed += 1
    write(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


def _tell(case: CaseResult, name: str, detail: Detail, write: Callable[[str], object]) -> None:
    if detail is Detail.SUMMARY or (case.passed and detail is Detail.FAILURES):
        return
    write(f"{'passed' if case.passed else 'FAILED'} {name}:{case.line}: {case.query}")
    for problem in case.problems:
        write(f"    {problem}")
