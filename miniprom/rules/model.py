"""Rules and groups as they are evaluated: read, checked, defaults filled in. Immutable, compared by value.

Where a rule stands in its file is no part of its value: a group that moves there has not changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from miniprom.rules.states import AT_ONCE, Timing
from query.language.ast import Expr
from query.language.printer import format_expr
from tsdb import Labels


@dataclass(frozen=True)
class RecordingRule:
    """`labels` replace those of the result; an empty value takes a label away."""

    name: str
    expr: Expr
    labels: Labels = ()
    line: int = field(default=1, compare=False)

    @property
    def query(self) -> str:
        """The expression as text."""
        return format_expr(self.expr)


@dataclass(frozen=True)
class AlertingRule:
    """`labels` and `annotations` are templates."""

    name: str
    expr: Expr
    labels: Labels = ()
    annotations: Labels = ()
    timing: Timing = AT_ONCE
    line: int = field(default=1, compare=False)

    @property
    def query(self) -> str:
        """The expression as text."""
        return format_expr(self.expr)


Rule: TypeAlias = RecordingRule | AlertingRule


@dataclass(frozen=True)
class RuleGroup:
    """Rules that are evaluated together, in order. `limit` 0 is none; `query_offset_ms` None the default."""

    file: str
    name: str
    interval_ms: int
    rules: tuple[Rule, ...]
    limit: int = 0
    query_offset_ms: int | None = None

    @property
    def key(self) -> str:
        """What tells it from other groups, also in metrics."""
        return f"{self.file};{self.name}"


def sorted_pairs(mapping: Mapping[str, str]) -> Labels:
    """The pairs of a mapping ascending by name, empty values included."""
    return tuple(sorted(mapping.items()))
