"""The architecture's two rules: imports point down the layers; the core does no I/O and reads no clock."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("tsdb", "collector", "query", "miniprom")
MAY_IMPORT = {
    "tsdb": {"tsdb"},
    "collector": {"tsdb", "collector"},
    "query": {"tsdb", "query"},
    "miniprom": set(PACKAGES),
}
IO_AND_CLOCKS = {
    "aiohttp",
    "asyncio",
    "http",
    "requests",
    "selectors",
    "socket",
    "ssl",
    "subprocess",
    "time",
    "urllib.request",
}
SANS_IO = [
    "tsdb",
    "query",
    "collector/exposition",
    "collector/http1/body.py",
    "collector/http1/response.py",
    "collector/relabel.py",
    "collector/schedule.py",
    "collector/series.py",
    "collector/target.py",
    "collector/config.py",
    "collector/intake.py",
    "collector/protobuf",
    "collector/histogram_rules.py",
    "collector/oauth2.py",
    "collector/proxy.py",
    "collector/flux/kinds.py",
    "collector/flux/objects.py",
    "collector/flux/state.py",
    "collector/flux/writer.py",
    "collector/discovery/backoff.py",
    "collector/discovery/throttle.py",
    "collector/discovery/target_groups.py",
    "collector/discovery/dns_message.py",
    *(
        f"collector/discovery/kubernetes/{name}.py"
        for name in (
            "objects", "resources", "reflector", "labels", "pods", "endpoints", "services", "roles",
            "groups", "monitor_spec", "monitors",
        )
    ),
]  # fmt: skip


def python_files(*places: str) -> list[Path]:
    files = []
    for place in places:
        path = ROOT / place
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return files


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize("package", PACKAGES)
def test_package_imports_only_the_packages_below_it(package: str) -> None:
    for path in python_files(package):
        ours = {module.split(".")[0] for module in imported_modules(path)} & set(PACKAGES)
        assert ours <= MAY_IMPORT[package], path


@pytest.mark.parametrize("path", python_files(*SANS_IO), ids=lambda path: str(path.relative_to(ROOT)))
def test_core_file_does_no_network_io_and_reads_no_clock(path: Path) -> None:
    forbidden = {
        module
        for module in imported_modules(path)
        if module in IO_AND_CLOCKS or module.split(".")[0] in IO_AND_CLOCKS
    }
    assert not forbidden
