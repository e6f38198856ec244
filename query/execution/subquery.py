"""The steps at which a subquery evaluates its expression (upstream: subqueryTimeRange)."""

from query.execution.context import EvalContext, steps_between
from query.execution.errors import TooManySamplesError
from query.execution.selectors import reference_ms
from query.plan.nodes import SubqueryRange
from tsdb.sample import IntArray


def subquery_steps(node: SubqueryRange, context: EvalContext) -> IntArray:
    """Multiples of the subquery's step from after the start of the first range to the end of the last.

    int64[n]. They are absolute multiples, whatever the query's own start, so that equal times give
    equal samples. Raises `TooManySamplesError` for more steps than a query may hold samples.
    """
    end_ms = reference_ms(node, context)
    after_ms = int(end_ms[0]) - node.range_ms
    start_ms = (after_ms // node.step_ms + 1) * node.step_ms
    if (int(end_ms[-1]) - start_ms) // node.step_ms >= context.options.max_samples:
        raise TooManySamplesError
    return steps_between(start_ms, int(end_ms[-1]), node.step_ms)
