"""Queries: /query, /query_range, /explain, /query_exemplars, /format_query, /parse_query."""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
from aiohttp import web

from miniprom.api.envelope import annotation_fields, query_envelope, success
from miniprom.api.errors import ApiError, BadParameterError, ErrorType
from miniprom.api.params import Params, params_of, read_params
from miniprom.api.results import encode_result, explanation_object, truncated
from miniprom.api.services import Phase, Services, services_of
from miniprom.api.streaming import Body, accepts_gzip, prepare, send
from miniprom.api.watch import WATCH, Evaluation, Watch
from miniprom.api.whole_request import WholeRequest
from miniprom.statistics import statistics_object, timings_seconds
from query import Control, Engine, Explanation, ParseError, PlanError, QueryError, QueryWindow, Result, parse
from query.language.ast import Expr
from query.language.printer import prettify
from query.language.to_json import to_json
from tsdb import Snapshot

_MAX_POINTS = 11_000
_TRUNCATED = "results truncated due to limit"
_MAX_KEY_CHARACTERS = 4096
_STATS_VALUES = ("", "true", "all")

Evaluate: TypeAlias = Callable[[Engine, Snapshot, Control], Result]


async def instant(request: web.Request) -> web.StreamResponse:
    """`query` at `time`."""
    return await _answer(request, _instant)


async def range_(request: web.Request) -> web.StreamResponse:
    """`query` at every `step` from `start` to `end`."""
    return await _answer(request, _range)


def answer_if_light(services: Services, request: WholeRequest) -> Body | None:
    """The answer to a query that takes no longer than the event loop can wait.

    None for all else, errors included: what was asked has then not been told anywhere.
    """
    prefix = services.settings.route_prefix
    read = _READERS.get(request.path.removeprefix(prefix))
    if read is None or not request.path.startswith(prefix) or b"origin" in request.headers:
        return None
    if services.phase is not Phase.READY or services.query_log.is_open:
        return None
    gzip = accepts_gzip(request.headers.get(b"accept-encoding", b"").decode())
    try:
        query = _query(services, params_of(request.forms), read, gzip)
        done = services.workers.run_if_light(query.answer, query.allowed_ms, key=query.key)
    except Exception:  # asked again in the other way, it is raised again, and told
        return None
    return done[0] if done and done[0].rest is None else None


async def explain(request: web.Request) -> web.Response:
    """The plan of `query`, and what its nodes gave and took: at `time`, or with a `step` over a range."""
    services, params = services_of(request), await read_params(request)
    time_ms = params.time_ms("time", services.clock.now_ms())
    window = window_of(params) if params.text("step") else QueryWindow(time_ms, time_ms, 0)
    engine, text = services.engine_with(lookback_of(params)), params.text("query")

    def work(control: Control) -> Explanation:
        try:
            return engine.explain(
                services.snapshot(), text, window, seconds=time.perf_counter, control=control
            )
        except (ParseError, PlanError) as error:
            raise BadParameterError("query", str(error)) from error

    explanation = await services.workers.run_query(work, float(services.settings.query_timeout_ms))
    return success(explanation_object(explanation))


async def exemplars(request: web.Request) -> web.Response:
    """Exemplars are not stored: the query is checked, the answer empty."""
    params = await read_params(request)
    start_ms, end_ms = params.span_ms()
    if end_ms < start_ms:
        raise ApiError(ErrorType.BAD_DATA, "end timestamp must not be before start timestamp")
    try:
        parse(params.text("query"), services_of(request).engine_options.parser)
    except ParseError as error:
        raise ApiError(ErrorType.BAD_DATA, str(error)) from error
    return success([])


async def format_query(request: web.Request) -> web.Response:
    """The query, laid out over lines."""
    params = await read_params(request)
    return success(prettify(_parsed(services_of(request), params)))


async def parse_query(request: web.Request) -> web.Response:
    """The query's syntax tree."""
    params = await read_params(request)
    return success(to_json(_parsed(services_of(request), params)))


def _parsed(services: Services, params: Params) -> Expr:
    try:
        return parse(params.text("query"), services.engine_options.parser)
    except ParseError as error:
        raise BadParameterError("query", str(error)) from error


def window_of(params: Params) -> QueryWindow:
    """Of a range query."""
    start_ms, end_ms = params.time_ms("start"), params.time_ms("end")
    if end_ms < start_ms:
        raise BadParameterError("end", "end timestamp must not be before start time")
    step_ms = int(params.required_duration_ms("step"))
    if step_ms <= 0:
        reason = "zero or negative query resolution step widths are not accepted. Try a positive integer"
        raise BadParameterError("step", reason)
    if (end_ms - start_ms) // step_ms > _MAX_POINTS:
        reason = "exceeded maximum resolution of 11,000 points per timeseries. "
        raise ApiError(ErrorType.BAD_DATA, reason + "Try decreasing the query resolution (?step=XX)")
    return QueryWindow(start_ms, end_ms, step_ms)


def _instant(services: Services, params: Params) -> tuple[QueryWindow, Evaluate]:
    time_ms = params.time_ms("time", services.clock.now_ms())
    text = params.text("query")
    return (
        QueryWindow(time_ms, time_ms, 0),
        lambda engine, snapshot, control: engine.instant(snapshot, text, time_ms, control=control),
    )


def _range(_services: Services, params: Params) -> tuple[QueryWindow, Evaluate]:
    window = window_of(params)
    text = params.text("query")
    return (
        window,
        lambda engine, snapshot, control: engine.range(
            snapshot, text, window.start_ms, window.end_ms, window.step_ms, control=control
        ),
    )


Reader: TypeAlias = Callable[[Services, Params], tuple[QueryWindow, Evaluate]]

_READERS: Final[Mapping[str, Reader]] = {"/api/v1/query": _instant, "/api/v1/query_range": _range}


async def _answer(request: web.Request, read: Reader) -> web.StreamResponse:
    services, params = services_of(request), await read_params(request)
    gzip = accepts_gzip(request.headers.get("Accept-Encoding", ""))
    client = {"clientIP": request.remote or "", "method": request.method, "path": request.path}
    query = _query(services, params, read, gzip, client)
    body = await services.workers.run_query(query.answer, query.allowed_ms, key=query.key)
    return await send(request, body, services.workers)


def _query(
    services: Services, params: Params, read: Reader, gzip: bool, client: Mapping[str, str] | None = None
) -> "_Query":
    """A query as it was asked. Raises `ApiError`."""
    params.limit()
    window, evaluate = read(services, params)
    timeout_ms, lookback_ms = params.duration_ms("timeout"), lookback_of(params)
    allowed_ms = float(services.settings.query_timeout_ms)
    if timeout_ms is not None:
        allowed_ms = min(timeout_ms, allowed_ms)
    counts_samples = bool(params.text("stats")) or services.query_log.is_open
    engine = services.engine_with(lookback_ms, counts_samples=counts_samples)
    text = params.text("query")
    # What the cost of a query depends on, besides the samples that are there.
    key = text, window.end_ms - window.start_ms, window.step_ms, lookback_ms
    return _Query(
        services,
        params,
        window,
        engine,
        evaluate,
        allowed_ms,
        key if len(text) <= _MAX_KEY_CHARACTERS else None,
        gzip,
        client or {},
        WATCH.get(),
        time.perf_counter(),
    )


@dataclass(frozen=True)
class _Query:
    """A query as it was asked; it arrived at `arrival` (by perf_counter)."""

    services: Services
    params: Params
    window: QueryWindow
    engine: Engine
    evaluate: Evaluate
    allowed_ms: float
    key: Hashable | None
    gzip: bool
    client: Mapping[str, str]
    watch: Watch | None
    arrival: float

    @property
    def text(self) -> str:
        return self.params.text("query")

    def answer(self, control: Control) -> Body:
        """The answer, evaluated and encoded. In any thread."""
        begin, services = time.perf_counter(), self.services
        snapshot = services.snapshot()
        try:
            result = self.evaluate(self.engine, snapshot, control)
        except (ParseError, PlanError) as error:
            raise BadParameterError("query", str(error)) from error
        except QueryError as error:
            self._log({}, str(error))
            raise
        if self.watch:
            self.watch.evaluation = Evaluation(self.text, self.engine, snapshot, self.window, result)
        evaluation_seconds, queue_seconds = time.perf_counter() - begin, begin - self.arrival
        timings = timings_seconds(result.stats, evaluation_seconds, queue_seconds)
        services.metrics.query_evaluated(timings)
        if services.query_log.is_open:
            self._log(statistics_object(result.stats, timings))
        return prepare(self._encoded(result, timings), self.gzip, whole=self.watch is not None)

    def _encoded(self, result: Result, timings: dict[str, float]) -> Iterator[bytes]:
        warnings = list(result.annotations.warnings)
        value = result.value
        if (shorter := truncated(value, self.params.limit())) is not None:
            value = shorter
            warnings.append(_TRUNCATED)
        stats, tail = self.params.text("stats"), b""
        if stats not in _STATS_VALUES:
            warnings.append(
                f'value "{stats}" for parameter "stats" is deprecated and will be rejected in the next major '
                'release, use "true" or "all"'
            )
        if stats:
            by_step = stats == "all" and "promql-per-step-stats" in self.services.settings.features
            statistics = statistics_object(result.stats, timings, by_step=by_step)
            tail = b',"stats":' + msgspec.json.encode(statistics)
        result_type, pieces = encode_result(value)
        annotations = annotation_fields(warnings, result.annotations.infos)
        return query_envelope(result_type, pieces, tail, annotations)

    def _log(self, stats: Mapping[str, object], error: str = "") -> None:
        log = self.services.query_log
        if log.is_open:
            log.write(self.text, self.window, stats, error, httpRequest=self.client)


def lookback_of(params: Params) -> int | None:
    try:
        lookback_ms = params.duration_ms("lookback_delta")
    except BadParameterError as error:
        reason = str(error.__cause__)
        raise ApiError(ErrorType.BAD_DATA, f"error parsing lookback delta duration: {reason}") from error
    return None if lookback_ms is None else int(lookback_ms)
