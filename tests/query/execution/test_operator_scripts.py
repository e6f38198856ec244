from collections.abc import Iterator
from pathlib import Path

import pytest

from miniprom.promqltest import CaseResult, parse_script, run_script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.test"))


def cases() -> Iterator[tuple[str, CaseResult]]:
    for path in SCRIPTS:
        for case in run_script(parse_script(path.read_text(), path.name)):
            yield f"{path.name}:{case.line}", case


@pytest.mark.parametrize(("place", "case"), [pytest.param(*each, id=each[0]) for each in cases()])
def test_case_answers_as_the_script_says(place: str, case: CaseResult) -> None:
    assert case.passed, f"{place} {case.query}: {'; '.join(case.problems)}"


def test_scripts_are_found() -> None:
    assert [path.stem for path in SCRIPTS] == [
        "aggregations",
        "extended_ranges",
        "functions",
        "histograms",
        "info",
        "matching",
        "native_histograms",
    ]
