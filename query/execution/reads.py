"""Which samples a query looks at, whatever is stored."""

from collections.abc import Iterator
from dataclasses import dataclass

from query.execution.context import EvalContext
from query.execution.info import info_select
from query.execution.selectors import reference_ms
from query.execution.subquery import subquery_steps
from query.language.ast import Extension
from query.plan import nodes
from query.plan.sharing import children
from tsdb import Matcher
from tsdb.sample import IntArray


@dataclass(frozen=True, slots=True)
class Read:
    """A selector at some times: it looks at samples after `start_ms`, up to `end_ms`.

    `newest_at_ms` are the times at which the newest sample counts unless a stale marker follows it: int64[n],
    ascending, evenly apart. It is None for selectors that see no stale markers.
    """

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int
    newest_at_ms: IntArray | None


def reads(node: nodes.PlanNode, context: EvalContext) -> Iterator[Read]:
    """What the selectors of a plan look at."""
    match node:
        case nodes.InstantSelect() | nodes.RangeSelect():
            yield _read(node, context)
            return
        case nodes.SubqueryRange():
            steps_ms = subquery_steps(node, context)
            if len(steps_ms):
                yield from reads(node.operand, context.at(steps_ms, node.step_ms))
            return
        case nodes.Invariant():
            context = context.first_step()
        case nodes.FunctionCall() if node.source.function == "info":
            yield from reads(node.args[0], context)
            yield _read(info_select(node), context)
            return
    for child in children(node):
        yield from reads(child, context)


def _read(node: nodes.InstantSelect | nodes.RangeSelect, context: EvalContext) -> Read:
    times_ms, lookback_ms = reference_ms(node, context), context.options.lookback_ms
    if isinstance(node, nodes.InstantSelect):
        extension, before_ms = node.source.extension, lookback_ms
        newest_at_ms = times_ms if extension is None else None
    else:
        extension, newest_at_ms = node.source.selector.extension, None
        before_ms = node.range_ms if extension is None else node.range_ms + lookback_ms
    after_ms = lookback_ms if extension is Extension.SMOOTHED else 0
    return Read(node.matchers, int(times_ms[0]) - before_ms, int(times_ms[-1]) + after_ms, newest_at_ms)
