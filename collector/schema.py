"""What the sections of a configuration are made of.

A section is a frozen msgspec struct: its fields are the keys of the YAML file. Values that YAML writes as
text but that mean something else carry their kind in the annotation. A section checks what concerns several
of its keys in `__post_init__` and raises `ConfigError`; whoever read the file adds the place.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Annotated, ClassVar, Final, TypeAlias

import msgspec

# What Go's url.Parse refuses: control characters, escapes that are none, a first segment that looks like a
# scheme, a host with spaces, a port that is no number.
_URL: Final = re.compile(
    r"(?![^\x00-\x1f\x7f]*%(?![0-9A-Fa-f]{2}))(?:[A-Za-z][A-Za-z0-9+.-]*:|(?![^/?#]*:))"
    r"(?:(?!//)|//(?:[^/?#@]*@)?(?:\[[^\]\s/]*\]|[^:/?#\s\[\]<>\"]*)(?::[0-9]*)?(?=[/?#]|\Z))[^\x00-\x1f\x7f]*"
)


class Kind(Enum):
    """How a value is written: as a special scalar, or as keys of the section around it (INLINE)."""

    DURATION = auto()
    SIZE = auto()
    SECRET = auto()
    FILE = auto()
    URL = auto()
    INLINE = auto()


DurationMs: TypeAlias = Annotated[int, Kind.DURATION]
SizeBytes: TypeAlias = Annotated[int, Kind.SIZE]
Secret: TypeAlias = Annotated[str, Kind.SECRET]
"""Shown as `<secret>` wherever the configuration is printed."""
Url: TypeAlias = Annotated[str, Kind.URL]
"""A password in it is not shown."""
FileName: TypeAlias = Annotated[str, Kind.FILE]
"""Relative to the directory of the file that names it; absolute once loaded."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mapping of the configuration file.

    `unsupported` names keys that upstream knows and miniprom refuses; `without_effect` names keys that
    are read but do nothing yet, so that a program can say so when it starts.
    """

    unsupported: ClassVar[frozenset[str]] = frozenset()
    without_effect: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        """Only what differs from the defaults; secrets stay secret."""
        parts = []
        for info in msgspec.structs.fields(self):
            value = getattr(self, info.name)
            if value != default_of(info):
                parts.append(f"{info.name}={'<secret>' if is_secret(info) else repr(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"


def default_of(info: msgspec.structs.FieldInfo) -> object:
    """The default of a section's field, or `msgspec.NODEFAULT`."""
    return info.default if info.default_factory is msgspec.NODEFAULT else info.default_factory()


def is_url(text: str) -> bool:
    """Whether Go would take a text as a URL, relative ones included."""
    return _URL.fullmatch(text) is not None


def is_secret(info: msgspec.structs.FieldInfo) -> bool:
    """Whether a field's value must never be shown."""
    return Kind.SECRET in getattr(info.type, "__metadata__", ())


def empty_mapping() -> Mapping[str, str]:
    """The default of a field that maps names to text."""
    return {}
