"""The example projects, as their readers run them, and the same tests on a real server."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.programs import PROMETHEUS, running
from tests.testing.projects import run

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(folder.name for folder in EXAMPLES.iterdir() if (folder / "README.md").is_file())
ON_REAL_SERVERS = ("canary", "scaler", "api-client")


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy, so that this repository's settings of pytest don't reach it."""
    return shutil.copytree(EXAMPLES, tmp_path / "examples")


def outcomes(folder: Path, *arguments: str) -> dict[str, int]:
    """Of a run of pytest: how many passed, failed and so on."""
    ran = run(folder, sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", *arguments)
    assert not ran.returncode, ran.stdout
    return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", ran.stdout.splitlines()[-1])}


def test_tests_of_the_examples_pass(examples: Path) -> None:
    assert outcomes(examples).keys() == {"passed"}


@pytest.mark.peer
@pytest.mark.skipif(not PROMETHEUS.is_installed, reason="prometheus is not installed")
def test_they_pass_on_a_real_server_but_for_what_only_a_fake_can(examples: Path) -> None:
    with running(PROMETHEUS, "storage: {tsdb: {out_of_order_time_window: 1d}}\n") as server:
        found = outcomes(examples, *ON_REAL_SERVERS, "--prometheus-url", server.url)
    assert found.keys() == {"passed", "skipped"}
    assert found["passed"] > found["skipped"]


@pytest.mark.peer
@pytest.mark.skipif(
    not shutil.which("promtool") or not shutil.which("curl"), reason="needs promtool and curl"
)
def test_the_tests_of_the_shell_script_pass(examples: Path) -> None:
    ran = run(examples / "shell", "./test.sh")
    assert not ran.returncode, ran.stdout
    assert ran.stdout.count("ok: ") == 5


def test_the_list_of_examples_names_each() -> None:
    listed = re.findall(r"^\| \[([\w-]+)\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == NAMES
