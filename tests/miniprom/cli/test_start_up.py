"""What starting does without: modules that only some uses need."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def modules_after(code: str) -> set[str]:
    """What a fresh interpreter has imported after `code`, by first name and in full."""
    script = f"import sys\ntry:\n    {code}\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20, cwd=ROOT)
    modules = done.stderr.split()
    return {*modules, *(module.partition(".")[0] for module in modules)}


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_flags_that_only_print_import_no_library(flag: str) -> None:
    found = modules_after(f"from miniprom.cli import main; main(['{flag}'])")
    assert "miniprom.flags" in found
    assert not found & {"aiohttp", "asyncio", "lark", "msgspec", "numpy", "prometheus_client", "re2", "yaml"}


def test_server_imports_no_more_than_every_server_needs() -> None:
    found = modules_after("import miniprom.server")
    assert {"aiohttp", "numpy", "query.execution"} <= found
    assert not found & {
        "collector.discovery.dns",
        "collector.discovery.file",
        "collector.discovery.http",
        "collector.discovery.kubernetes.discovery",
        "cramjam",
        "lark",
        "miniprom.cli.query",
        "miniprom.lint",
        "miniprom.promqltest",
        "miniprom.simulator",
        "query.execution.evaluate",
        "query.language.grammar",
        "re2",
    }


def test_first_query_imports_the_grammar() -> None:
    assert "query.language.grammar" in modules_after("import query; query.parse('1')")


def test_new_series_import_no_masked_arrays() -> None:
    appending = "store.append(store.series_ids([(('__name__', 'a'),)]), 0, numpy.ones(1))"
    found = modules_after(f"import numpy, tsdb; store = tsdb.Store(retention_ms=1); {appending}")
    assert "numpy" in found
    assert "numpy.ma" not in found
