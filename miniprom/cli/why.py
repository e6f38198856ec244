"""`miniprom why URL EXPR`: why the answer to a query is empty, on any server."""

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.error import HTTPError

from miniprom.cli.query import QueryFailedError, add_query_arguments, ask, query_parameters

_EPILOG: Final = """\
examples:
  miniprom why http://localhost:9090 'rate(http_requests_total{code="5xx"}[5m])'
  miniprom why http://prometheus:9090 'up == 0 and on (job) absent(x)' --time 2026-01-01T10:00:00Z
"""
_UNKNOWN_ENDPOINT: Final = (400, 404, 405)
"""How servers answer that have no /api/v1/why."""


def run(arguments: Sequence[str]) -> int:
    """Print the findings. The exit code is 1 for an empty answer."""
    options = _parser().parse_args(arguments)
    diagnosis = _diagnosis(options)
    for finding in diagnosis["findings"]:
        print(f"{finding['position']}: {finding['expr']}\n    {finding['text']}")
    if not diagnosis["empty"] and not diagnosis["findings"]:
        print("the answer is not empty")
    return 1 if diagnosis["empty"] else 0


def _diagnosis(options: argparse.Namespace) -> dict[str, Any]:
    """From the server itself, or of the samples that it has."""
    parameters = query_parameters(options)
    try:
        told: dict[str, Any] = ask(options.url, parameters, options.timeout, "why")
        return told
    except QueryFailedError as error:
        if not isinstance(error.__cause__, HTTPError) or error.__cause__.code not in _UNKNOWN_ENDPOINT:
            raise
    from miniprom.api.why import diagnosis_object  # noqa: PLC0415  a miniprom tells it without
    from miniprom.cli.windows import query_window  # noqa: PLC0415  as above
    from miniprom.recording.diagnosis import diagnosis_of  # noqa: PLC0415  as above
    from query import ParseError, PlanError  # noqa: PLC0415  as above

    def asked(endpoint: str, parameters: Mapping[str, str]) -> Any:
        return ask(options.url, parameters, options.timeout, endpoint)

    try:
        window = query_window(options, int(time.time() * 1000))
        return diagnosis_object(diagnosis_of(asked, options.expr, window), options.expr)
    except ParseError as error:
        raise QueryFailedError(error.drawing) from error
    except PlanError as error:
        raise QueryFailedError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom why",
        description="Tell why the answer to a query is empty, or NaN. Any server with the API of Prometheus "
        "will do: one that can't tell by itself is asked for the samples that the query reads.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", help="the server, such as http://localhost:9090")
    add_query_arguments(parser)
    return parser
