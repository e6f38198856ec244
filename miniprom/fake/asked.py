"""Which query a request asks, and which queries are the same. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from miniprom.api.params import Params
from query import ParseError, ParserOptions, parse
from query.language.ast import Expr
from query.language.normal import difference, is_same, tidied
from query.language.printer import format_expr

_KINDS: Final = {"query": "instant", "query_range": "range"}
_MOST_NEAREST: Final = 3


@dataclass(frozen=True)
class Asked:
    """A query. `expr` is None if it has a fault; `kind` is instant or range, else None."""

    text: str
    kind: str | None
    expr: Expr | None

    @property
    def parsed(self) -> str | None:
        """All spellings alike."""
        return None if self.expr is None else format_expr(tidied(self.expr))


def asked_in(path: str, params: Params, options: ParserOptions) -> Asked | None:
    """The query of a request to any endpoint that takes one."""
    text = params.text("query")
    if not text:
        return None
    try:
        expr = parse(text, options)
    except ParseError:
        expr = None
    return Asked(text, _KINDS.get(path.rpartition("/")[2]), expr)


def matching(wanted: Expr, asked: Iterable[Asked]) -> dict[str, Any]:
    """How often a query was asked, and which that were asked are most like it, each with what differs."""
    others: dict[str, Expr] = {}
    found = 0
    for each in asked:
        if each.expr is None:
            continue
        if is_same(wanted, each.expr):
            found += 1
        else:
            others[each.text] = each.expr
    text = format_expr(tidied(wanted))

    def likeness(other: str) -> float:
        return SequenceMatcher(None, text, format_expr(tidied(others[other]))).ratio()

    nearest = sorted(others, key=likeness, reverse=True)[:_MOST_NEAREST]
    shown = [{"query": other, "difference": difference(wanted, others[other])} for other in nearest]
    return {"found": found, "nearest": shown}
