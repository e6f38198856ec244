"""`miniprom test promql|rules FILE...`: tests of queries and of rules."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_PROMQL_EXAMPLES: Final = """\
examples:
  miniprom test promql rates.test               what fails, and a summary
  miniprom test promql --quiet *.test           the summary alone
  miniprom test promql --only 42 rates.test     the case on line 42
"""
_RULES_EXAMPLES: Final = """\
examples:
  miniprom test rules alerts_test.yml               what fails
  miniprom test rules --run 'Down|Slow' *_test.yml  tests with such a name
  miniprom test rules --junit report.xml *_test.yml a report for CI, too
"""


def run(arguments: Sequence[str]) -> int:
    """Exit code 0 if every case passed, 1 if one failed."""
    parser = argparse.ArgumentParser(prog="miniprom test", description="Test queries and rules.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    _add_promql(kinds)
    _add_rules(kinds)
    options = parser.parse_args(arguments)
    return _run_promql(options) if options.kind == "promql" else _run_rules(options)


def _add_promql(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    promql = kinds.add_parser(
        "promql",
        help="run scripts of load and eval statements",
        description="Run scripts of load and eval statements in Prometheus's promqltest format.",
        epilog=_PROMQL_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    promql.add_argument("files", nargs="+", type=Path, metavar="FILE")
    detail = promql.add_mutually_exclusive_group()
    detail.add_argument("-q", "--quiet", action="store_true", help="print the summary alone")
    detail.add_argument("-v", "--verbose", action="store_true", help="print the cases that passed, too")
    promql.add_argument("--only", type=int, metavar="LINE", help="run the case that begins on this line")


def _run_promql(options: argparse.Namespace) -> int:
    from miniprom.promqltest import Detail, run_files  # noqa: PLC0415  tests of rules need none of it

    chosen = {options.quiet: Detail.SUMMARY, options.verbose: Detail.ALL}.get(True, Detail.FAILURES)
    return run_files(options.files, detail=chosen, only_line=options.only)


def _add_rules(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    rules = kinds.add_parser(
        "rules",
        help="run promtool's unit tests of rules",
        description="Run unit tests of recording and alerting rules, in promtool's format.",
        epilog=_RULES_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    rules.add_argument("files", nargs="+", metavar="FILE")
    rules.add_argument(
        "--run", action="append", default=[], metavar="REGEX", help="tests by name; repeatable"
    )
    rules.add_argument("--diff", action="store_true", help="show differences line by line")
    rules.add_argument("--debug", action="store_true", help="show times, and all samples at the end")
    rules.add_argument(
        "--coverage", action="store_true", help="name what rules can do and no test made them do"
    )
    rules.add_argument("--junit", type=Path, metavar="FILE", help="write a report in JUnit's XML")
    rules.add_argument("--ignore-unknown-fields", action="store_true", help="in rule files")
    rules.add_argument("--enable-feature", action="append", default=[], help="as the server's")


def _run_rules(options: argparse.Namespace) -> int:
    from miniprom.parser_options import parser_options  # noqa: PLC0415  tests of queries need none of it
    from miniprom.ruletest.coverage import Coverage  # noqa: PLC0415  as above
    from miniprom.ruletest.report import Style, run_files  # noqa: PLC0415  as above
    from miniprom.ruletest.runner import TestOptions  # noqa: PLC0415  as above

    features = ",".join(options.enable_feature).split(",")
    coverage = Coverage() if options.coverage else None
    return run_files(
        options.files,
        TestOptions(tuple(options.run), options.ignore_unknown_fields, parser_options(features), coverage),
        Style(options.diff, options.debug, colour=sys.stdout.isatty()),
        junit=options.junit,
    )
