"""`miniprom test promql FILE...`: run PromQL test scripts."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from miniprom.promqltest import Detail, run_files

_EXAMPLES = """\
examples:
  miniprom test promql rates.test               what fails, and a summary
  miniprom test promql --quiet *.test           the summary alone
  miniprom test promql --only 42 rates.test     the case on line 42
"""


def run(arguments: Sequence[str]) -> int:
    """Exit code 0 if every case passed, 1 if one failed."""
    parser = argparse.ArgumentParser(
        prog="miniprom test", description="Test PromQL queries on given samples."
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    promql = kinds.add_parser(
        "promql",
        help="run scripts of load and eval statements",
        description="Run scripts of load and eval statements in Prometheus's promqltest format.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    promql.add_argument("files", nargs="+", type=Path, metavar="FILE")
    detail = promql.add_mutually_exclusive_group()
    detail.add_argument("-q", "--quiet", action="store_true", help="print the summary alone")
    detail.add_argument("-v", "--verbose", action="store_true", help="print the cases that passed, too")
    promql.add_argument("--only", type=int, metavar="LINE", help="run the case that begins on this line")
    options = parser.parse_args(arguments)
    chosen = {options.quiet: Detail.SUMMARY, options.verbose: Detail.ALL}.get(True, Detail.FAILURES)
    return run_files(options.files, detail=chosen, only_line=options.only)
