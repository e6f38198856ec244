"""Lists of target groups as files and HTTP servers give them. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import yaml

from collector.errors import DiscoveryError
from collector.target import TargetGroup


class ListedGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"targets": ["host:port", ...], "labels": {...}}`."""

    targets: tuple[str, ...] | None = None
    labels: dict[str, str] | None = None


def groups_of_json(body: bytes, source: str, extra: Mapping[str, str]) -> list[TargetGroup]:
    """The groups of a JSON document; `extra` labels are added to each. Raises `DiscoveryError`."""
    try:
        listed = msgspec.json.decode(body, type=tuple[ListedGroup, ...] | None)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DiscoveryError(f"expected a list of target groups: {error}") from error
    return _groups(listed or (), source, extra)


def groups_of_yaml(body: bytes, source: str, extra: Mapping[str, str]) -> list[TargetGroup]:
    """The groups of a YAML document; `extra` labels are added to each. Raises `DiscoveryError`."""
    try:
        document: Any = yaml.load(body, Loader=_TextLoader)  # builds texts, lists and mappings only
        # Through JSON, which has no halves of characters and no lists that hold themselves.
        listed = msgspec.json.decode(msgspec.json.encode(document or ()), type=tuple[ListedGroup, ...])
    except (yaml.YAMLError, msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise DiscoveryError(f"expected a list of target groups: {error}") from error
    return _groups(listed, source, extra)


def _groups(listed: Iterable[ListedGroup], source: str, extra: Mapping[str, str]) -> list[TargetGroup]:
    return [
        TargetGroup.of_addresses(
            group.targets or (), {**(group.labels or {}), **extra}, source=f"{source}:{position}"
        )
        for position, group in enumerate(listed)
    ]


class _TextLoader(yaml.BaseLoader):
    """Every scalar but null is the text as it is written: a label value of 1 or true is "1" or "true"."""


_NULL = "tag:yaml.org,2002:null"
_TextLoader.add_implicit_resolver(_NULL, re.compile("(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_TextLoader.add_constructor(_NULL, lambda _loader, _node: None)
