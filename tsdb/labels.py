"""Label sets as values: sorted by name, hashable, free of empty values."""

from collections.abc import Mapping
from typing import Final, TypeAlias

METRIC_NAME: Final = "__name__"

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs of name and value, ascending by name. An empty value means "no such label" and never stands here."""


def labels_from(pairs: Mapping[str, str]) -> Labels:
    """The label set of a mapping."""
    return tuple(sorted([pair for pair in pairs.items() if pair[1]]))
