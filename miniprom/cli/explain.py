"""`miniprom explain EXPR`: how a query is evaluated; with a server, how much and how long."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from miniprom.api.results import explanation_object
from miniprom.cli.query import QueryFailedError, add_query_arguments, aligned, ask, query_parameters
from query import Engine, ParseError, PlanError, QueryWindow

_EPILOG: Final = """\
examples:
  miniprom explain 'sum by (job) (rate(http_requests_total[5m])) > 2 * 3'
  miniprom explain 'topk(5, rate(http_requests_total[5m]))' --url http://localhost:9090
"""
_HEADER: Final = ("node", "series", "samples", "ms")


def run(arguments: Sequence[str]) -> int:
    """Print the plan as a tree."""
    options = _parser().parse_args(arguments)
    if options.url is None:
        for text, _ in _lines(_planned(options.expr)):
            print(text)
        return 0
    plan = ask(options.url, query_parameters(options), options.timeout, "explain")
    print("\n".join(aligned([_HEADER, *([text, *_figures(node)] for text, node in _lines(plan))])))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom explain",
        description="Print the plan of a PromQL expression: each node above its operands. With a server the "
        "expression is evaluated there, and series, samples and time (operands included) are told. "
        "Samples of a range are those stored; of other nodes those they give at all steps.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_query_arguments(parser)
    parser.add_argument("--url", help="a miniprom to evaluate it, such as http://localhost:9090")
    return parser


def _planned(text: str) -> dict[str, Any]:
    """The plan of a range query that is not evaluated."""
    try:
        return explanation_object(Engine().plan(text, QueryWindow(0, 3_600_000, 60_000)))
    except ParseError as error:
        raise QueryFailedError(error.drawing) from error
    except PlanError as error:
        raise QueryFailedError(str(error)) from error


def _lines(
    node: Mapping[str, Any], lead: str = "", branch: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each node's line of the tree, and the node."""
    yield lead + branch + node["node"], node
    lead += {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
    operands = node["operands"]
    for operand in operands:
        yield from _lines(operand, lead, "└─ " if operand is operands[-1] else "├─ ")


def _figures(node: Mapping[str, Any]) -> list[str]:
    if "series" not in node:
        return ["", "", ""]
    return [f"{node['series']:,}", f"{node['samples']:,}", f"{node['seconds'] * 1000:.1f}"]
