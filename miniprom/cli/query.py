"""`miniprom query URL EXPR`: asks any Prometheus, and prints a table, JSON or CSV."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from miniprom.errors import MinipromError

_EPILOG: Final = """\
examples:
  miniprom query http://localhost:9090 'sum by (job) (up)'
  miniprom query http://localhost:9090 'rate(http_requests_total[5m])' --format csv
  miniprom query http://localhost:9090 up --start 2026-01-01T00:00:00Z --end 2026-01-01T01:00:00Z --step 1m
"""
_METRIC_NAME: Final = "__name__"
_GET_ONLY: Final = ("label/", "status/")
"""Endpoints that take no form."""


class QueryFailedError(MinipromError):
    """The server can't be reached, or refused the query."""


def run(arguments: Sequence[str]) -> int:
    """Ask and print."""
    options = _parser().parse_args(arguments)
    parameters = query_parameters(options)
    endpoint = "query_range" if "step" in parameters else "query"
    data = ask(options.url, parameters, options.timeout, endpoint)
    if options.format == "json":
        print(json.dumps(data, indent=2))
        return 0
    rows = table(data)
    if options.format == "csv":
        csv.writer(sys.stdout).writerows(rows)
    else:
        print("\n".join(aligned(rows)))
    return 0


def ask(url: str, parameters: Mapping[str, str], timeout_seconds: float, endpoint: str = "query") -> Any:
    """The `data` of the answer of an endpoint of the API. Raises `QueryFailedError`."""
    if "://" not in url:
        url = f"http://{url}"
    address, form = f"{url.rstrip('/')}/api/v1/{endpoint}", urlencode(parameters)
    if endpoint.startswith(_GET_ONLY):
        request = Request(f"{address}?{form}")
    else:
        request = Request(address, data=form.encode())
    try:
        with urlopen(request, timeout=timeout_seconds) as response:
            answer = json.load(response)
    except HTTPError as error:
        raise QueryFailedError(_message(error) + _place_of_fault(parameters.get("query"))) from error
    except (URLError, OSError, HTTPException, ValueError) as error:
        raise QueryFailedError(f"{url}: {getattr(error, 'reason', error)}") from error
    for kind in ("warnings", "infos"):
        for text in answer.get(kind, ()):
            print(f"{kind.removesuffix('s')}: {text}", file=sys.stderr)
    return answer["data"]


def table(data: dict[str, Any]) -> list[list[str]]:
    """Header and rows: a column a label, then time and value."""
    result = data["result"]
    if data["resultType"] in ("scalar", "string"):
        return [["time", "value"], [_moment(result[0]), result[1]]]
    labels = sorted({name for series in result for name in series["metric"]}, key=_name_first)
    rows = [[*labels, "time", "value"]]
    for series in result:
        shown = [series["metric"].get(name, "") for name in labels]
        rows += [[*shown, _moment(time), _value(value)] for time, value in _points(series)]
    return rows


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines with columns side by side, values to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        cells[-1] = row[-1].rjust(widths[-1])
        lines.append("  ".join(cells))
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom query",
        description="Evaluate a PromQL expression on a server, now, at a time, or over a range.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", help="the server, such as http://localhost:9090")
    add_query_arguments(parser)
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    return parser


def add_query_arguments(parser: argparse.ArgumentParser) -> None:
    """The expression, and when it is evaluated."""
    parser.add_argument("expr", metavar="EXPR", help="the PromQL expression")
    add_window_arguments(parser)


def add_window_arguments(parser: argparse.ArgumentParser) -> None:
    """When an expression is evaluated."""
    parser.add_argument("--time", help="evaluate at this time (unix seconds or RFC 3339) instead of now")
    parser.add_argument("--start", help="begin of a range; needs --end")
    parser.add_argument("--end", help="end of a range; needs --start")
    parser.add_argument("--step", default="1m", help="step of a range, such as 15s (default 1m)")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="default 120")


def query_parameters(options: argparse.Namespace) -> dict[str, str]:
    """What the API is to be told."""
    return {"query": options.expr, **window_parameters(options)}


def window_parameters(options: argparse.Namespace) -> dict[str, str]:
    """The times among what the API is to be told."""
    if (options.start is None) != (options.end is None):
        raise QueryFailedError("a range needs both --start and --end")
    if options.start is not None:
        return {"start": options.start, "end": options.end, "step": options.step}
    return {"time": options.time} if options.time else {}


def _place_of_fault(expr: str | None) -> str:
    """Lines that show where an expression is at fault, and the nearest name; empty for one that parses."""
    from query import ParseError, parse  # noqa: PLC0415  a good answer needs no parser
    from query.language import EVERYTHING  # noqa: PLC0415

    try:
        parse(expr or "0", EVERYTHING)
    except ParseError as error:
        return "\n" + error.drawing.partition("\n")[2]
    return ""


def _message(error: HTTPError) -> str:
    body = error.read().decode(errors="replace")
    try:
        answer = json.loads(body)
        return f"{answer['errorType']}: {answer['error']}"
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code} {error.reason}: {body[:200].strip()}"


def _points(series: dict[str, Any]) -> Iterable[tuple[float, Any]]:
    if "value" in series or "histogram" in series:
        return [series.get("value") or series["histogram"]]
    return sorted([*series.get("values", ()), *series.get("histograms", ())], key=lambda point: point[0])


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _moment(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return (
        moment.strftime("%Y-%m-%dT%H:%M:%S")
        + (f".{moment.microsecond // 1000:03d}" if seconds % 1 else "")
        + "Z"
    )


def _name_first(name: str) -> tuple[bool, str]:
    return name != _METRIC_NAME, name
