"""Instant queries that are asked together time and again, as the rules of a group are."""

from collections.abc import Sequence
from typing import NamedTuple

from query.errors import PlanError
from query.language import ast
from query.plan.build import build_plan
from query.plan.nodes import PlanNode, QueryWindow, RangeSelect
from query.plan.recent import depends_on_window
from query.plan.sharing import Shared, all_parts, shared_parts


class Planned(NamedTuple):
    """The plan of each query, or why there is none.

    `widest` are of the range selectors that differ in their range alone those with the longest.
    """

    plans: list[PlanNode | PlanError]
    shared: Shared
    widest: list[RangeSelect]


class Batch:
    """The queries, planned once, unless the time of evaluation stands in their plans."""

    def __init__(self, queries: Sequence[ast.Expr], *, default_subquery_step_ms: int) -> None:
        self._queries = queries
        self._default_subquery_step_ms = default_subquery_step_ms
        self._is_timeless = not any(depends_on_window(query) for query in queries)
        self._planned: Planned | None = None

    def planned(self, time_ms: int) -> Planned:
        """The plans for an evaluation at a time. Not to be called by several threads at once."""
        if self._planned is None or not self._is_timeless:
            window = QueryWindow(time_ms, time_ms, 0)
            plans = [self._plan(query, window) for query in self._queries]
            sound = [plan for plan in plans if not isinstance(plan, PlanError)]
            self._planned = Planned(plans, shared_parts(*sound), _widest(sound))
        return self._planned

    def _plan(self, query: ast.Expr, window: QueryWindow) -> PlanNode | PlanError:
        try:
            return build_plan(query, window, default_subquery_step_ms=self._default_subquery_step_ms)
        except PlanError as error:
            return error


def _widest(plans: Sequence[PlanNode]) -> list[RangeSelect]:
    alike: dict[object, set[RangeSelect]] = {}
    for plan in plans:
        for node in all_parts(plan):
            if isinstance(node, RangeSelect) and node.source.selector.extension is None:
                alike.setdefault((node.matchers, node.offset_ms, node.at_ms), set()).add(node)
    return [max(nodes, key=lambda node: node.range_ms) for nodes in alike.values() if len(nodes) > 1]
