import pytest

from collector.errors import UnitError
from miniprom.memory_limit import available_memory_bytes, memory_limit_bytes
from miniprom.settings import BadFlagError, settings_of


def gibibyte() -> int:
    return 2**30


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("", None),
        ("512MB", 512 * 2**20),
        ("1GiB", 2**30),
        ("50%", 2**29),
        ("100%", 2**30),
        ("1%", 2**30 // 100),
    ],
)
def test_limit_is_a_size_or_a_share_of_what_there_is(text: str, limit: int | None) -> None:
    assert memory_limit_bytes(text, gibibyte) == limit


@pytest.mark.parametrize("text", ["0%", "101%", "x%", "-5%", "1.5%", "12", "12 apples", "%"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UnitError, match=text):
        memory_limit_bytes(text, gibibyte)


def test_there_is_some_memory() -> None:
    assert 2**20 < available_memory_bytes() < 2**50


def test_mistake_in_a_flag_names_the_flag() -> None:
    with pytest.raises(BadFlagError, match=r"--storage\.memory-limit: not a valid size"):
        settings_of({"storage.memory-limit": "many"})


def test_flags_of_retention_and_memory() -> None:
    settings = settings_of({"storage.memory-limit": "2GB", "storage.tsdb.retention.size": "1MB"})
    assert (settings.memory_limit_bytes, settings.retention_bytes) == (2**31, 2**20)
    assert settings_of({}).memory_limit_bytes is None
    assert settings_of({"storage.tsdb.retention.size": "0"}).retention_bytes is None
