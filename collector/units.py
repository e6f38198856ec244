"""Durations and sizes as Prometheus writes them: `1h30m`, `10s`, `64MB`."""

import re
from typing import Final

from collector.errors import UnitError

_MS_PER_UNIT: Final = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_NEVER_ROUNDED_UP: Final = ("y", "w", "d")
_MAX_MS: Final = (2**63 - 1) // 1_000_000

# Upstream's model.ParseDuration: units descending, each at most once.
_DURATION: Final = re.compile("".join(rf"(?:(\d+){unit})?" for unit in _MS_PER_UNIT), re.ASCII)

_BYTES_PER_UNIT: Final = {
    "B": 1,
    **{prefix + suffix: 1024**n for n, prefix in enumerate("KMGTPE", 1) for suffix in ("B", "iB")},
}
_MAX_BYTES: Final = 2**63 - 1
_SIZE_PART: Final = re.compile(rf"(\d+(?:\.\d+)?)({'|'.join(_BYTES_PER_UNIT)})", re.ASCII)
_SIZE: Final = re.compile(rf"(?:{_SIZE_PART.pattern})+", re.ASCII)


def parse_duration_ms(text: str) -> int:
    """Milliseconds of a Prometheus duration; "0" needs no unit. Raises `UnitError`."""
    if text == "0":
        return 0
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise UnitError(f'not a valid duration string: "{text}"; expected one such as 30s or 1h30m')
    milliseconds = sum(
        int(count or 0) * size for count, size in zip(match.groups(), _MS_PER_UNIT.values(), strict=True)
    )
    if milliseconds > _MAX_MS:
        raise UnitError(f'duration out of range: "{text}"')
    return milliseconds


def format_duration_ms(milliseconds: int) -> str:
    """The shortest spelling that `parse_duration_ms` reads back; as upstream's model.Duration.String.

    Years, weeks and days stand only where nothing remains below them: 90 min is `1h30m`, 36 h is `36h`.
    """
    if milliseconds == 0:
        return "0s"
    parts = []
    for unit, size in _MS_PER_UNIT.items():
        if unit in _NEVER_ROUNDED_UP and milliseconds % size:
            continue
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_size_bytes(text: str) -> int:
    """Bytes of a size such as `64MB` (1024-based, as upstream); "0" needs no unit. Raises `UnitError`."""
    if text == "0":
        return 0
    if not _SIZE.fullmatch(text):
        raise UnitError(f'not a valid size: "{text}"; expected a number and a unit, such as 512KB or 64MB')
    size_bytes = int(sum(float(count) * _BYTES_PER_UNIT[unit] for count, unit in _SIZE_PART.findall(text)))
    if size_bytes > _MAX_BYTES:
        raise UnitError(f'size out of range: "{text}"')
    return size_bytes


def format_size_bytes(size_bytes: int) -> str:
    """The spelling of upstream's units.Base2Bytes: `64MiB`, `1KiB512B`."""
    if size_bytes == 0:
        return "0B"
    parts = []
    for n, prefix in reversed(list(enumerate("KMGTPE", 1))):
        count, size_bytes = divmod(size_bytes, 1024**n)
        if count:
            parts.append(f"{count}{prefix}iB")
    if size_bytes:
        parts.append(f"{size_bytes}B")
    return "".join(parts)
