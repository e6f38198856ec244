"""Durations and sizes: upstream's model.Duration and units.Base2Bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import UnitError
from collector.units import format_duration_ms, format_size_bytes, parse_duration_ms, parse_size_bytes


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("324ms", 324),
        ("3s", 3_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("4d", 345_600_000),
        ("4d1h", 349_200_000),
        ("3w", 1_814_400_000),
        ("10y", 315_360_000_000),
    ],
)
def test_duration_is_read_in_milliseconds(text: str, milliseconds: int) -> None:
    assert parse_duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "1", "-1w", "1.5d", "1h1h", "30s1m", "1 h", "s", "300000000y", "٣s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match="duration"):
        parse_duration_ms(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0s"),
        (90_000, "1m30s"),
        (60_000, "1m"),
        (86_400_000, "1d"),
        (129_600_000, "36h"),
        (604_800_000, "1w"),
    ],
)
def test_duration_is_written_as_upstream_writes_it(milliseconds: int, text: str) -> None:
    assert format_duration_ms(milliseconds) == text


@given(st.integers(0, 10**12))
def test_written_duration_reads_back(milliseconds: int) -> None:
    assert parse_duration_ms(format_duration_ms(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("1B", 1), ("64MB", 67_108_864), ("64MiB", 67_108_864), ("1.5KB", 1_536)]
)
def test_size_counts_in_1024(text: str, size: int) -> None:
    assert parse_size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "100", "-1GB", "1iB", "1kb", "MB"])
def test_size_without_a_known_unit_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match="size"):
        parse_size_bytes(text)


@given(st.integers(0, 2**60))
def test_parts_of_a_written_size_add_up(size: int) -> None:
    parts = format_size_bytes(size).replace("B", "B ").split()
    assert sum(parse_size_bytes(part) for part in parts) == size
