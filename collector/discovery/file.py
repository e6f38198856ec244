"""`file_sd_configs`: files of target groups, read again soon after they change."""

import asyncio
import glob
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from collector.clock import Clock
from collector.discovery.metrics import RefreshMetrics
from collector.discovery.refresh import keep_unchanged
from collector.discovery.target_groups import groups_of_json, groups_of_yaml
from collector.discovery_config import FileDiscoveryConfig
from collector.errors import DiscoveryError
from collector.target import META_PREFIX, TargetGroup

_log: Final = logging.getLogger(__name__)

POLL_MS: Final = 1_000
_Stamp: TypeAlias = tuple[int, int, int]
"""Inode, time of modification in ns, size: at least one differs once a file was changed or replaced."""
_UNKNOWN: Final[_Stamp] = (0, 0, 0)


@dataclass(frozen=True)
class _File:
    stamp: _Stamp
    groups: tuple[TargetGroup, ...]


class FileDiscovery:
    """One section. A file that can't be read keeps the targets that it had."""

    def __init__(self, config: FileDiscoveryConfig, clock: Clock, metrics: RefreshMetrics) -> None:
        self._config = config
        self._clock = clock
        self._metrics = metrics
        self._files: dict[str, _File] = {}

    async def run(self, changed: Callable[[], None]) -> None:
        refresh_due_ms, has_looked = self._clock.now_ms(), False
        while True:
            now_ms = self._clock.now_ms()
            read_all = now_ms >= refresh_due_ms
            if read_all:
                refresh_due_ms = now_ms + self._config.refresh_interval_ms
            before = self.groups()
            self._files = await asyncio.to_thread(self._scan, read_all)
            if self.groups() != before or not has_looked:
                has_looked = True
                changed()
            await self._clock.sleep_until(now_ms + min(POLL_MS, self._config.refresh_interval_ms))

    def groups(self) -> Sequence[TargetGroup]:
        return [group for file in self._files.values() for group in file.groups]

    def _scan(self, read_all: bool) -> dict[str, _File]:
        start = time.perf_counter()
        files: dict[str, _File] = {}
        for name in (name for pattern in self._config.files for name in sorted(glob.glob(pattern))):
            old, stamp = self._files.get(name), _UNKNOWN
            try:
                found = os.stat(name)
                stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
                if old and old.stamp == stamp and not read_all:
                    files[name] = old
                    continue
                groups = _read(name)
            except (OSError, DiscoveryError) as error:
                self._metrics.file_read_errors.inc()
                _log.error("Error reading file", extra={"path": name, "err": str(error)})
                # The stamp is the new one: the same fault is told once, not each second.
                files[name] = _File(stamp, old.groups if old else ())
                continue
            files[name] = _File(stamp, keep_unchanged(old.groups if old else (), groups))
            self._metrics.file_mtime.labels(name).set(found.st_mtime)
        for name in self._files.keys() - files.keys():
            self._metrics.file_mtime.remove_by_labels({"filename": name})
        self._metrics.file_scan_duration.observe(time.perf_counter() - start)
        return files


def _read(name: str) -> list[TargetGroup]:
    with open(name, "rb") as file:
        body = file.read()
    parse = groups_of_json if name.lower().endswith(".json") else groups_of_yaml
    return parse(body, name, {META_PREFIX + "filepath": name})
