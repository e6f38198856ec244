"""`--storage.memory-limit`: bytes, or a share of what the machine or the container has."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from collector.errors import UnitError
from collector.units import parse_size_bytes

_CGROUP_FILES: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_MEMINFO: Final = Path("/proc/meminfo")


def memory_limit_bytes(text: str, available_bytes: Callable[[], int]) -> int | None:
    """The bytes of `512MB` or `60%`; None of "": no limit. Raises `UnitError`."""
    if not text:
        return None
    if not text.endswith("%"):
        return parse_size_bytes(text)
    share = text[:-1]
    if not share.isascii() or not share.isdigit() or not 0 < int(share) <= 100:
        raise UnitError(f'not a valid share: "{text}"; expected one from 1% to 100%')
    return available_bytes() * int(share) // 100


def available_memory_bytes() -> int:
    """The limit of the container, else the memory of the machine."""
    total_kib = next(line for line in _MEMINFO.read_text().splitlines() if line.startswith("MemTotal:"))
    total = int(total_kib.split()[1]) * 1024
    limits = [path.read_text().strip() for path in _CGROUP_FILES if path.is_file()]
    return min([total, *(int(limit) for limit in limits if limit.isdigit())])
