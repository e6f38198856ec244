"""Prometheus's own PromQL test scripts. What fails is listed with its reason, and the list only shrinks."""

from pathlib import Path

import pytest

from miniprom.promqltest import parse_script, run_script
from query.execution import fused
from tests.conformance.known_failures import KNOWN_FAILURES

FILES = [
    "aggregators",
    "at_modifier",
    "collision",
    "duration_expression",
    "extended_vectors",
    "fill-modifier",
    "functions",
    "histograms",
    "info",
    "limit",
    "literals",
    "name_label_dropping",
    "native_histograms",
    "operators",
    "range_queries",
    "selectors",
    "staleness",
    "start_timestamps",
    "subquery",
    "trig_functions",
    "type_and_unit",
]


@pytest.mark.parametrize("name", FILES)
def test_script(name: str, conformance: Path) -> None:
    _run(name, conformance)


@pytest.mark.parametrize("name", FILES)
def test_script_with_sums_of_any_size_fused(
    name: str, conformance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fused, "FUSING_PAYS_FROM", 0)
    monkeypatch.setattr(fused, "SERIES_A_GROUP", 0)
    _run(name, conformance)


def _run(name: str, conformance: Path) -> None:
    path = conformance / "promqltest" / f"{name}.test"
    failed = {
        case.line: f"{path.name}:{case.line}: {case.query}\n    " + "\n    ".join(case.problems)
        for case in run_script(parse_script(path.read_text(encoding="utf-8"), path.name))
        if not case.passed
    }
    known = {int(line) for lines in KNOWN_FAILURES.get(name, {}).values() for line in lines.split()}
    unexpected = [text for line, text in failed.items() if line not in known]
    assert not unexpected, "\n" + "\n".join(unexpected)
    passing = sorted(known - failed.keys())
    assert not passing, f"these cases of {path.name} pass now; take them off the list: {passing}"


def test_every_script_is_run(conformance: Path) -> None:
    assert sorted(path.stem for path in (conformance / "promqltest").glob("*.test")) == FILES
