"""`miniprom check rules FILE...`: what is wrong with rule files. Options and exit codes are promtool's."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Final

from miniprom.config import ConfigFileError
from miniprom.config.load import read_text
from miniprom.parser_options import parser_options
from miniprom.rules.errors import RuleFileError
from miniprom.rules.files import RuleFileOptions, parse_rule_file
from miniprom.rules.model import RecordingRule, RuleGroup

_FAILED: Final = 1
_LINT_FAILED: Final = 3
_LINTS: Final = ("all", "duplicate-rules", "none")
_EXAMPLES: Final = """\
examples:
  miniprom check rules alerts.yml
  miniprom check rules --lint-fatal rules/*.yml
  miniprom check rules --live http://localhost:9090 alerts.yml
  kubectl get prometheusrule my-rules -o jsonpath={.spec} | miniprom check rules
"""


def run(arguments: Sequence[str]) -> int:
    """Exit code 0 if all is well, 1 for faults, 3 for lint that is fatal."""
    options = _parser().parse_args(arguments)
    file_options = RuleFileOptions(
        parser=parser_options(",".join(options.enable_feature).split(",")),
        ignore_unknown_keys=options.ignore_unknown_fields,
    )
    checked: list[RuleGroup] = []
    has_faults = has_lint = False
    for file in options.files or ("-",):
        print(f"Checking {'standard input' if file == '-' else file}", flush=True)
        try:
            groups = _groups(file, file_options)
        except ConfigFileError as error:
            has_faults = True
            problems = error.problems if isinstance(error, RuleFileError) else (str(error),)
            print("  FAILED:", *problems, sep="\n", file=sys.stderr)
            continue
        checked += groups
        lint = duplicates(groups) if options.lint != "none" else []
        has_lint = has_lint or bool(lint)
        if lint:
            print(f"  FAILED:\nlint: {len(lint)} duplicate rule(s) found:", *lint, sep="\n", file=sys.stderr)
        else:
            print(f"  SUCCESS: {sum(len(group.rules) for group in groups)} rules found\n")
    if options.live:
        notes = _notes(checked, options.live)
        print(f"Comparing with {options.live}", *(notes or ["  SUCCESS: nothing to note"]), sep="\n")
        has_lint = has_lint or bool(notes)
    if has_faults:
        return _FAILED
    return _LINT_FAILED if has_lint and options.lint_fatal else 0


def duplicates(groups: Sequence[RuleGroup]) -> list[str]:
    """Rules with the same name and labels, which may write the same series."""
    counts = Counter((rule.name, rule.labels) for group in groups for rule in group.rules)
    return [
        "  " + name + "".join(f"\n    {label}: {value}" for label, value in labels)
        for (name, labels), count in counts.items()
        if count > 1
    ]


def _notes(groups: Sequence[RuleGroup], url: str) -> list[str]:
    """What the data of a server says against the rules. Raises `LiveError`."""
    from miniprom.lint import lint  # noqa: PLC0415  only --live needs it
    from miniprom.lint.live import LiveData  # noqa: PLC0415  as above

    data = LiveData(url)
    recorded = {rule.name for group in groups for rule in group.rules if isinstance(rule, RecordingRule)}
    return [
        f'  {group.file}:{rule.line}: group "{group.name}", rule "{rule.name}": {note.message} [{note.check}]'
        for group in groups
        for rule in group.rules
        for note in lint(rule, data, recorded)
    ]


def _groups(file: str, options: RuleFileOptions) -> tuple[RuleGroup, ...]:
    if file == "-":
        return parse_rule_file(sys.stdin.read(), "standard input", options)
    return parse_rule_file(read_text(file), file, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom check rules",
        description="Check the YAML, names, expressions and templates of rule files (or of standard input).",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--lint", choices=_LINTS, default="duplicate-rules", help="default duplicate-rules")
    parser.add_argument("--lint-fatal", action="store_true", help="exit with 3 if there is lint")
    parser.add_argument("--live", metavar="URL", help="compare the rules with the data of a server")
    parser.add_argument("--ignore-unknown-fields", action="store_true", help="accept keys nobody knows")
    parser.add_argument(
        "--enable-feature", action="append", default=[], metavar="NAME", help="as the server's"
    )
    return parser
