"""`miniprom check metrics < BODY`: options, words and exit codes are promtool's."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from collector.errors import ExpositionError
from collector.exposition import TEXT, parse
from miniprom.metric_lint import Family, families_of, lint

_FAILED: Final = 1
_LINT_FAILED: Final = 3
_EXAMPLES: Final = """\
examples:
  curl -s http://localhost:9090/metrics | miniprom check metrics
  curl -s http://localhost:9090/metrics | miniprom check metrics --extended    how many series each has
"""


def run(arguments: Sequence[str]) -> int:
    """Exit code 0 if all is well, 1 for a body that can't be read, 3 for lint."""
    options = _parser().parse_args(arguments)
    if options.lint == "none" and not options.extended:
        print("error: at least one of --extended or linting must be enabled", file=sys.stderr)
        return _FAILED
    try:
        families = families_of(parse(sys.stdin.buffer.read(), TEXT))
    except ExpositionError as error:
        print("error while linting:", error, file=sys.stderr)
        return _FAILED
    problems = lint(families) if options.lint != "none" else []
    for problem in problems:
        print(problem.metric, problem.text, file=sys.stderr)
    if options.extended:
        print(_cardinalities(families))
    return _LINT_FAILED if problems else 0


def _cardinalities(families: Sequence[Family]) -> str:
    """How many series each family has, the largest first."""
    total = sum(len(family.series) for family in families)
    ordered = sorted(families, key=lambda family: (-len(family.series), family.name))
    rows = [("Metric", "Cardinality", "Percentage")]
    rows += [
        (family.name, str(len(family.series)), f"{100 * len(family.series) / total:.2f}%")
        for family in ordered
    ]
    rows.append(("Total", str(total), "100%"))
    width = max(len(name) for name, _, _ in rows)
    return "\n".join(f"{name:{width}}    {count:11}    {share}" for name, count, share in rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom check metrics",
        description="Check a body of the text format from standard input for odd names, types and labels.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--extended", action="store_true", help="also print how many series each metric has")
    parser.add_argument("--lint", choices=("all", "none"), default="all", help="default all")
    return parser
