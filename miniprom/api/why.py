"""/why: why the answer to a query is empty."""

from typing import TYPE_CHECKING

from aiohttp import web

from miniprom.api.envelope import success
from miniprom.api.errors import BadParameterError
from miniprom.api.params import read_params
from miniprom.api.query import lookback_of, window_of
from miniprom.api.services import services_of
from query import Control, ParseError, PlanError, QueryWindow
from query.errors import position

if TYPE_CHECKING:
    from query.why import Diagnosis


async def why(request: web.Request) -> web.Response:
    """What keeps `query` from an answer: at `time`, or with a `step` over a range."""
    services, params = services_of(request), await read_params(request)
    time_ms = params.time_ms("time", services.clock.now_ms())
    window = window_of(params) if params.text("step") else QueryWindow(time_ms, time_ms, 0)
    engine, text = services.engine_with(lookback_of(params)), params.text("query")

    def work(control: Control) -> "Diagnosis":
        try:
            return engine.why(services.snapshot(), text, window, control=control)
        except (ParseError, PlanError) as error:
            raise BadParameterError("query", str(error)) from error

    diagnosis = await services.workers.run_query(work, float(services.settings.query_timeout_ms))
    return success(diagnosis_object(diagnosis, text))


def diagnosis_object(diagnosis: "Diagnosis", query: str) -> dict[str, object]:
    """Whether the answer is empty, and the findings, each with its place in the query as `line:column`."""
    return {
        "empty": diagnosis.empty,
        "findings": [
            {
                "kind": finding.kind.value,
                "expr": finding.expr,
                "position": position(query, finding.span.start),
                "text": finding.text,
            }
            for finding in diagnosis.findings
        ],
    }
