"""docs/testing.md is one project: its files are written, its commands run, its tests pass."""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from inspect import isfunction
from pathlib import Path

import pytest

from miniprom.testing import FakePrometheus, generators, plugin
from miniprom.testing.faults import Faults
from miniprom.testing.journal import Journal, Request
from miniprom.testing.loading import Loading
from tests.testing.projects import run

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVER = "http://prometheus.example:9090"
INSTALLS = "pip install"
REQUESTS = 'http_requests_total{code="200"} 0+99x80\nhttp_requests_total{code="500"} 0+1x80'


def blocks(kind: str) -> Iterator[str]:
    return (match[2] for match in BLOCK.finditer(PAGE) if match[1] == kind)


def commands() -> list[tuple[str, str]]:
    """Each command, and what the page shows of its output."""
    found = []
    for block in blocks("console"):
        command, _, output = block.removeprefix("$ ").partition("\n")
        if not command.startswith(INSTALLS):
            found.append((command, output))
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with all files of the page."""
    for kind in {match[1] for match in BLOCK.finditer(PAGE)} - {"console"}:
        for block in blocks(kind):
            head = re.match(r"# ([\w.-]+\.\w+)\n", block)
            assert head, f"a block does not begin with the name of its file:\n{block}"
            assert not (tmp_path / head[1]).exists(), f"two blocks are called {head[1]}"
            (tmp_path / head[1]).write_text(block)
    return tmp_path


@pytest.mark.peer
@pytest.mark.skipif(not (shutil.which("promtool") and shutil.which("curl")), reason="needs promtool, curl")
def test_commands_print_what_the_page_shows_and_all_tests_pass(
    project: Path, prometheus: FakePrometheus
) -> None:
    for command, shown in commands():
        if command.startswith("miniprom record"):
            prometheus.load(REQUESTS)
        ran = run(project, *shlex.split(command.replace(SERVER, prometheus.url)))
        prometheus.reset()
        assert looks_like(shown, ran.stdout), f"$ {command}\n{ran.stdout}"
    ran = run(project, sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert not ran.returncode, ran.stdout


def looks_like(shown: str, printed: str) -> bool:
    """Three dots stand for any text; lines of dashes are as long as there is room."""
    shown, printed = (re.sub("-{3,}", "---", text.strip()) for text in (shown, printed))
    pattern = re.escape(shown).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def methods(of: type) -> list[str]:
    return [name for name, value in vars(of).items() if isfunction(value) and not name.startswith("_")]


DOCUMENTED: dict[str, list[str]] = {
    "faults": methods(Faults),
    "journal": [*methods(Journal), "requests", "queries"],
    "loading": methods(Loading),
    "generators": [
        name
        for name, value in vars(generators).items()
        if isfunction(value) and value.__module__ == generators.__name__ and not name.startswith("_")
    ],
    "requests": list(Request.__dataclass_fields__),
    "fixtures": [name for name in vars(plugin) if name.startswith("prometheus")],
    "client": ["now", "clock.advance", "clock.set", "snapshot", "restore", "reset", "scrape", "configure"],
}
NOT_SHOWN = {"requests": {"id", "time", "parsed", "kind", "error_type", "result_type", "series_read"}}


@pytest.mark.parametrize("group", DOCUMENTED)
def test_everything_is_named_on_the_page(group: str) -> None:
    names = set(DOCUMENTED[group]) - NOT_SHOWN.get(group, set())
    missing = [name for name in names if not re.search(rf"`(?:[^`\n]*\W)?{re.escape(name)}\b[^`\n]*`", PAGE)]
    assert not missing
