"""Files of target groups: their formats, and when they are read."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from prometheus_client.registry import CollectorRegistry

from collector.clock import VirtualClock
from collector.discovery.file import FileDiscovery
from collector.discovery.metrics import RefreshMetrics
from collector.discovery.target_groups import groups_of_json, groups_of_yaml
from collector.discovery_config import FileDiscoveryConfig
from collector.errors import DiscoveryError
from collector.target import TargetGroup

JSON = b'[{"targets": ["a:1", "b:1"], "labels": {"k": "v"}}, {"targets": []}]'
YAML = b"- targets: ['a:1', b:1]\n  labels: {k: v}\n- targets: []\n"
EXTRA = {"__meta_x": "y"}


class World:
    """A folder, a discovery of its files, and how often it had news."""

    def __init__(self, folder: Path, pattern: str) -> None:
        self.folder = folder
        self.clock = VirtualClock()
        self.registry = CollectorRegistry()
        config = FileDiscoveryConfig(files=(str(folder / pattern),), refresh_interval_ms=300_000)
        self.discovery = FileDiscovery(config, self.clock, RefreshMetrics(self.registry))
        self.news = 0

    def tell(self) -> None:
        self.news += 1

    def write(self, name: str, *addresses: str) -> None:
        """Replace a file, as careful writers do."""
        text = "- targets: [" + ", ".join(f"'{address}'" for address in addresses) + "]\n"
        (self.folder / "new").write_text(text)
        os.replace(self.folder / "new", self.folder / name)

    def groups(self) -> Sequence[TargetGroup]:
        return self.discovery.groups()

    def addresses(self) -> list[str]:
        return [target["__address__"] for group in self.groups() for target in group.targets]


@pytest.mark.parametrize(("parse", "body"), [(groups_of_json, JSON), (groups_of_yaml, YAML)])
def test_both_formats_say_the_same(
    parse: Callable[[bytes, str, dict[str, str]], list[TargetGroup]], body: bytes
) -> None:
    first, second = parse(body, "f", EXTRA)
    assert first == TargetGroup([{"__address__": "a:1"}, {"__address__": "b:1"}], {"k": "v", **EXTRA}, "f:0")
    assert second == TargetGroup([], EXTRA, "f:1")


def test_label_value_that_looks_like_a_number_is_the_text_as_written() -> None:
    body = b"- targets: [a]\n  labels: {port: 0x10, on: yes, n: 1.50, z: nullable}\n"
    [group] = groups_of_yaml(body, "f", {})
    assert group.labels == {"port": "0x10", "on": "yes", "n": "1.50", "z": "nullable"}


@pytest.mark.parametrize("body", [b"", b"null", b"~", b"[]"])
def test_empty_file_has_no_groups(body: bytes) -> None:
    assert groups_of_yaml(body, "f", {}) == []


@pytest.mark.parametrize(
    "body",
    [b'[{"targets": [], "label": {}}]', b"[null]", b'{"targets": []}', b'[{"targets": [[]]}]', b"[", b"\xff"],
)
def test_anything_else_is_refused(body: bytes) -> None:
    for parse in (groups_of_json, groups_of_yaml):
        with pytest.raises(DiscoveryError, match="expected a list of target groups"):
            parse(body, "f", {})


@pytest.mark.parametrize("body", [b'- labels: {a: "\\ud800"}', b"&a [*a]", b"[" * 5_000])
def test_yaml_that_no_json_could_say_is_refused(body: bytes) -> None:
    with pytest.raises(DiscoveryError, match="expected a list of target groups"):
        groups_of_yaml(body, "f", {})


def run(folder: Path, story: Callable[[World], Awaitable[None]], pattern: str = "*.yml") -> World:
    async def whole() -> World:
        world = World(folder, pattern)
        task = asyncio.create_task(world.discovery.run(world.tell))
        while not world.news:
            await asyncio.sleep(0.001)
        await story(world)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return world

    return asyncio.run(whole())


def test_replaced_new_and_removed_files_are_noticed_within_a_second(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert world.addresses() == []
        world.write("b.yml", "b:1")
        await world.clock.advance(1_000)
        assert world.addresses() == ["b:1"]
        world.write("a.yml", "a:1")
        world.write("b.yml", "b:2")
        await world.clock.advance(1_000)
        assert world.addresses() == ["a:1", "b:2"]
        (world.folder / "a.yml").unlink()
        await world.clock.advance(1_000)
        assert world.addresses() == ["b:2"]

    world = run(tmp_path, story)
    assert world.news == 4
    b_yml = {"filename": str(tmp_path / "b.yml")}
    mtime = world.registry.get_sample_value("prometheus_sd_file_mtime_seconds", b_yml)
    assert mtime == pytest.approx((tmp_path / "b.yml").stat().st_mtime)
    a_yml = {"filename": str(tmp_path / "a.yml")}
    assert world.registry.get_sample_value("prometheus_sd_file_mtime_seconds", a_yml) is None


def test_target_carries_the_name_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(JSON)

    async def story(world: World) -> None:
        [first, _] = world.groups()
        assert first.labels == {"k": "v", "__meta_filepath": str(tmp_path / "a.json")}

    run(tmp_path, story, "*.json")


def test_broken_file_keeps_the_targets_that_it_had_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(world: World) -> None:
        world.write("a.yml", "a:1")
        await world.clock.advance(1_000)
        (world.folder / "a.yml").write_text("- targets: {")
        await world.clock.advance(10_000)
        assert world.addresses() == ["a:1"]

    world = run(tmp_path, story)
    assert world.registry.get_sample_value("prometheus_sd_file_read_errors_total") == 1
    assert len(caplog.records) == 1


def test_file_that_is_written_again_with_the_same_text_is_no_news(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.write("a.yml", "a:1")
        await world.clock.advance(1_000)
        [before] = world.groups()
        world.write("a.yml", "a:1")
        await world.clock.advance(1_000)
        assert world.groups()[0] is before

    assert run(tmp_path, story).news == 2
