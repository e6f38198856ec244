"""What a configuration asks for that nothing acts on yet, to be said when the program starts."""

from collections.abc import Iterator
from functools import cache

import msgspec
from msgspec.structs import FieldInfo

from collector.schema import Section, default_of
from miniprom.config.sections import Config


def warnings_of(config: Config) -> list[str]:
    """One line a key, such as `rule_files: not supported yet, ignored`."""
    return [f"{path}: not supported yet, ignored" for path in _without_effect(config, "")]


def _without_effect(section: Section, path: str) -> Iterator[str]:
    for info in _fields(type(section)):
        value = getattr(section, info.name)
        here = path + info.encode_name
        if info.encode_name in section.without_effect:
            if value and value != default_of(info):
                yield here
        elif isinstance(value, Section):
            yield from _without_effect(value, here + ".")
        elif isinstance(value, tuple):
            for position, item in enumerate(value):
                if isinstance(item, Section):
                    yield from _without_effect(item, f"{here}[{position}].")


@cache  # to read annotations takes long, and the fake configures itself for each test
def _fields(section: type[Section]) -> tuple[FieldInfo, ...]:
    return msgspec.structs.fields(section)
