"""YAML nodes to sections: the types of a section's fields say how its scalars are read.

The reading of scalars follows go-yaml, which upstream uses: a text field takes any scalar as it is written
(`regex: true` is the text "true"), quoted text is no number, 12:30 is no time, and null is the zero value.
"""

import base64
import difflib
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeGuard, Union, get_args, get_origin

import msgspec
import yaml

from collector.errors import ConfigError, UnitError
from collector.schema import Kind, Section, is_url
from collector.units import parse_duration_ms, parse_size_bytes
from miniprom.config.errors import ConfigFileError

_TAG: Final = "tag:yaml.org,2002:"
_BOOLS: Final = {
    spelling: value
    for value, words in ((True, ("y", "yes", "true", "on")), (False, ("n", "no", "false", "off")))
    for word in words
    for spelling in (word, word.capitalize(), word.upper())
}
_INTEGER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[0-9][0-9_]*)")


class Decoder:
    """Reads the nodes of one file, and remembers on which line each key stands."""

    def __init__(self, file_name: str, directory: str, *, ignore_unknown_keys: bool = False) -> None:
        self._file_name = file_name
        self._directory = directory
        self._ignore_unknown_keys = ignore_unknown_keys
        self._lines: dict[str, int] = {}

    def error(self, path: str, message: str, key: str | None = None) -> ConfigFileError:
        """The error to raise for a decoded place: `prometheus.yml:12: scrape_configs[0]: message`."""
        place = path + ": " if path else ""
        return ConfigFileError(f"{self._file_name}:{self.line_of(path, key)}: {place}{message}")

    def line_of(self, path: str, key: str | None = None) -> int:
        """The line of a decoded place, or of a key there if it is given."""
        line = self._lines.get(_join(path, key)) if key else None
        return line or self._lines.get(path, 1)

    def decode(self, node: yaml.Node, type_: Any, path: str) -> Any:
        """The value of a node as a field's type. Raises `ConfigFileError`."""
        self._lines[path] = _line(node)
        origin = get_origin(type_)
        if hasattr(type_, "__metadata__"):
            return self._special(node, type_, path)
        if origin in (Union, UnionType):
            return self._optional(node, type_, path)
        if origin is Literal:
            return self._choice(node, get_args(type_), path)
        if origin is tuple:
            return self._list(node, get_args(type_)[0], path)
        if origin is dict:
            return self._mapping(node, get_args(type_)[1], path)
        if _is_section(type_):
            return self._section(node, type_, path)
        return self._scalar(node, type_, path)

    def _section(self, node: yaml.Node, section: type[Section], path: str) -> Section:
        if is_null(node):
            raise self.error(path, "empty section; expected keys and values")
        members = _members(section)
        given: dict[str, dict[str, Any]] = {"": {}}
        for key, value in self._pairs(node, path):
            member = members.get(key)
            if member is None and self._ignore_unknown_keys:
                continue
            if member is None:
                raise self.error(path, _unknown_key(key, section, members), key)
            if is_null(value) and _is_section(member.type):
                continue  # a section that was opened but left empty keeps its defaults
            given.setdefault(member.inline_in, {})[member.name] = self.decode(
                value, member.type, _join(path, key)
            )
        own = given.pop("")
        for name, values in given.items():
            own[name] = self._build(_inline_sections(section)[name], values, path)
        return self._build(section, own, path)

    def _build(self, section: type[Section], values: Mapping[str, Any], path: str) -> Section:
        for key, member in _members(section).items():
            if member.required and member.name not in values:
                raise self.error(path, f'missing key "{key}"')
        try:
            return section(**values)
        except ConfigError as error:
            raise self.error(path, str(error), error.key) from error

    def _pairs(self, node: yaml.Node, path: str) -> list[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self.error(path, f"expected keys and values, got {_described(node)}")
        pairs: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = self._scalar(key_node, str, path)
            self._lines[_join(path, key)] = _line(key_node)
            if key in pairs:
                raise self.error(path, f'key "{key}" is given twice', key)
            pairs[key] = value
        return list(pairs.items())

    def _list(self, node: yaml.Node, item: Any, path: str) -> tuple[Any, ...]:
        if is_null(node):
            return ()
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(path, f"expected a list, got {_described(node)}")
        return tuple(self.decode(child, item, f"{path}[{n}]") for n, child in enumerate(node.value))

    def _mapping(self, node: yaml.Node, value_type: Any, path: str) -> dict[str, Any]:
        if is_null(node):
            return {}
        return {
            key: self.decode(value, value_type, _join(path, key)) for key, value in self._pairs(node, path)
        }

    def _optional(self, node: yaml.Node, type_: Any, path: str) -> Any:
        options = [option for option in get_args(type_) if option is not NoneType]
        if len(options) < len(get_args(type_)) and is_null(node):
            return None
        if len(options) == 1:
            return self.decode(node, options[0], path)
        return self._choice(node, tuple(value for option in options for value in get_args(option)), path)

    def _choice(self, node: yaml.Node, choices: tuple[str, ...], path: str) -> str:
        text: str = self._scalar(node, str, path)
        if text not in choices:
            expected = ", ".join(choice for choice in choices if choice)
            raise self.error(path, f'expected one of {expected}; got "{text}"')
        return text

    def _special(self, node: yaml.Node, type_: Any, path: str) -> Any:
        for marker in type_.__metadata__:
            if marker is Kind.FILE:
                text = self._scalar(node, str, path)
                return os.path.join(self._directory, text) if text else ""
            if marker in _UNIT_PARSERS:
                try:
                    return 0 if is_null(node) else _UNIT_PARSERS[marker](self._scalar(node, str, path))
                except UnitError as error:
                    raise self.error(path, str(error)) from error
        value = self.decode(node, type_.__origin__, path)
        if Kind.URL in type_.__metadata__ and not is_url(value):
            raise self.error(path, f'expected a URL, got "{value}"')
        return value

    def _scalar(self, node: yaml.Node, type_: type, path: str) -> Any:
        if not _is_scalar(node):
            self._lines[path] = _line(node)
            raise self.error(path, f"expected {_EXPECTED[type_]}, got {_described(node)}")
        if is_null(node):
            return type_()
        if type_ is str:
            return self._text(node, path)
        value = None if node.style else _READERS[type_](node.value)
        if value is None:
            raise self.error(path, f"expected {_EXPECTED[type_]}, got {_described(node)}")
        return value

    def _text(self, node: yaml.ScalarNode, path: str) -> str:
        is_binary = node.tag == _TAG + "binary"
        try:
            content = base64.b64decode(node.value) if is_binary else node.value.encode()
            return content.decode()
        except ValueError as error:
            self._lines[path] = _line(node)
            raise self.error(path, f"expected text in UTF-8, got {node.value!a}") from error


class _Member(msgspec.Struct, frozen=True):
    """A key of a section: the field it fills, and the inline section that field belongs to, if any."""

    name: str
    type: Any
    required: bool = False
    inline_in: str = ""


@cache
def _members(section: type[Section]) -> dict[str, _Member]:
    members: dict[str, _Member] = {}
    for info in msgspec.structs.fields(section):
        inline = _inline_sections(section).get(info.name)
        if inline:
            for key, member in _members(inline).items():
                members[key] = _Member(member.name, member.type, inline_in=info.name)
        else:
            members[info.encode_name] = _Member(info.name, info.type, info.required)
    return members


@cache
def _inline_sections(section: type[Section]) -> dict[str, type[Section]]:
    return {
        info.name: info.type.__origin__
        for info in msgspec.structs.fields(section)
        if Kind.INLINE in getattr(info.type, "__metadata__", ())
    }


def _unknown_key(key: str, section: type[Section], members: Mapping[str, _Member]) -> str:
    refused = section.unsupported.union(*(inner.unsupported for inner in _inline_sections(section).values()))
    if key in refused:
        return f'"{key}" is not supported by miniprom'
    close = difflib.get_close_matches(key, [*members, *refused], n=1, cutoff=0.7)
    if not close:
        return f'unknown key "{key}"'
    remark = " (not supported by miniprom)" if close[0] in refused else ""
    return f'unknown key "{key}"; did you mean "{close[0]}"{remark}?'


def is_null(node: yaml.Node) -> bool:
    """Whether a node says nothing: `key:`, `key: ~`, `key: null`."""
    return bool(node.tag == _TAG + "null")


def _line(node: yaml.Node) -> int:
    """The line of a node; 1 for one that is of no text."""
    return int(node.start_mark.line) + 1 if node.start_mark else 1


def _is_section(type_: Any) -> TypeGuard[type[Section]]:
    return isinstance(type_, type) and issubclass(type_, Section)


def _is_scalar(node: yaml.Node) -> TypeGuard[yaml.ScalarNode]:
    return isinstance(node, yaml.ScalarNode)


def _described(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        return "keys and values"
    return "nothing" if is_null(node) else f'"{node.value}"'


def _join(path: str, key: str | None) -> str:
    return f"{path}.{key}" if path else str(key)


def _read_int(text: str) -> int | None:
    """As Go's strconv.ParseInt with base 0: a leading 0 is octal."""
    if not _INTEGER.fullmatch(text):
        return None
    digits = text.lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567_"
    value = int(digits, 8 if octal else 0)
    return -value if text.startswith("-") else value


def _read_float(text: str) -> float | None:
    try:
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return None


_UNIT_PARSERS: Final[Mapping[Any, Callable[[str], int]]] = {
    Kind.DURATION: parse_duration_ms,
    Kind.SIZE: parse_size_bytes,
}
_READERS: Final[Mapping[type, Callable[[str], Any]]] = {int: _read_int, float: _read_float, bool: _BOOLS.get}
_EXPECTED: Final = {str: "text", int: "an integer", float: "a number", bool: "true or false"}
