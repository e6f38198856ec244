"""A configuration as YAML again, as `/api/v1/status/config` shows it: defaults filled in, secrets hidden."""

import re
from typing import Any, Final

import msgspec
import yaml

from collector.schema import Kind, Section, default_of
from collector.units import format_duration_ms, format_size_bytes
from miniprom.config.sections import Config

_EMPTY: tuple[object, ...] = (None, "", (), {}, 0, False)

# As Go's URL.Redacted.
_PASSWORD: Final = re.compile(r"(?<=:)(?<!:/)[^/@:]*(?=@)")


def render_config(config: Config) -> str:
    """The YAML of a configuration."""
    text: str = yaml.safe_dump(_section(config), sort_keys=False, allow_unicode=True, width=1000)
    return text


def _section(section: Section) -> dict[str, Any]:
    """Its keys without those that are empty, and without sections that say nothing."""
    data: dict[str, Any] = {}
    for info in _own_fields_first(type(section)):
        value = getattr(section, info.name)
        markers = getattr(info.type, "__metadata__", ())
        if Kind.INLINE in markers:
            data.update(_section(value))
        elif isinstance(value, Section):
            if value != default_of(info) or info.name == "global_":
                data[info.encode_name] = _section(value)
        elif value not in _EMPTY or default_of(info) not in (*_EMPTY, msgspec.NODEFAULT):
            data[info.encode_name] = _value(value, info.type)
    return data


def _value(value: Any, type_: Any) -> Any:
    markers = getattr(type_, "__metadata__", ())
    if Kind.SECRET in markers:
        return "<secret>"
    if Kind.URL in markers:
        return _PASSWORD.sub("xxxxx", value)
    if Kind.DURATION in markers:
        return format_duration_ms(value)
    if Kind.SIZE in markers:
        return format_size_bytes(value)
    if isinstance(value, Section):
        return _section(value)
    if isinstance(value, tuple):
        item_type = type_.__args__[0] if hasattr(type_, "__args__") else str
        return [_value(item, item_type) for item in value]
    if isinstance(value, dict):
        item_type = type_.__args__[1] if hasattr(type_, "__args__") else str
        return {key: _value(item, item_type) for key, item in value.items()}
    return value


def _own_fields_first(section: type[Section]) -> list[msgspec.structs.FieldInfo]:
    """Inherited keys go last, as `job_name` reads best in front."""
    own = section.__annotations__
    return sorted(msgspec.structs.fields(section), key=lambda info: info.name not in own)
