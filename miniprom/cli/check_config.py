"""`miniprom check config FILE...`: options, words and exit codes are promtool's."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

import msgspec

from collector.config import ScrapeConfig
from collector.discovery.target_groups import groups_of_json, groups_of_yaml
from collector.discovery_config import FileDiscoveryConfig
from collector.errors import CollectorError
from collector.schema import Kind, Section
from collector.units import format_duration_ms, parse_duration_ms
from miniprom.cli import check_rules
from miniprom.config import Config, ConfigFileError, load_config, warnings_of
from miniprom.rules.files import matching_files

_FAILED: Final = 1
_LINT_FAILED: Final = 3
_LINTS: Final = ("all", "duplicate-rules", "none", "too-long-scrape-interval")
# Files that the server writes, and patterns, which are looked at on their own.
_NOT_READ: Final = ("scrape_failure_log_file", "query_log_file", "rule_files", "scrape_config_files")
_EXAMPLES: Final = """\
examples:
  miniprom check config prometheus.yml
  miniprom check config --syntax-only prometheus.yml        without the files that it names
  miniprom check config --lint=all --lint-fatal prometheus.yml
"""


def run(arguments: Sequence[str]) -> int:
    """Exit code 0 if all is well, 1 for faults, 3 for lint that is fatal."""
    options = _parser().parse_args(arguments)
    codes = [_check(file, options) for file in options.files]
    if _FAILED in codes:
        return _FAILED
    return max(codes)


def _check(file: str, options: argparse.Namespace) -> int:
    print("Checking", file)
    try:
        config = load_config(file)
        rule_files = [] if options.syntax_only else _checked_files(config)
    except (ConfigFileError, _CheckError) as error:
        print("  FAILED:", error, file=sys.stderr)
        return _FAILED
    for warning in warnings_of(config):
        print("  WARNING:", warning)
    if rule_files:
        print(f"  SUCCESS: {len(rule_files)} rule files found")
    print(f" SUCCESS: {file} is valid prometheus config file syntax\n")
    if options.syntax_only:
        return 0
    lint = options.lint
    code = 0
    if lint in ("all", "too-long-scrape-interval"):
        too_long = _lint_intervals(config, parse_duration_ms(options.lookback))
        code = _LINT_FAILED if too_long and options.lint_fatal else 0
    if rule_files:
        flags = ["--lint=duplicate-rules" if lint in ("all", "duplicate-rules") else "--lint=none"]
        flags += ["--lint-fatal"] if options.lint_fatal else []
        flags += ["--ignore-unknown-fields"] if options.ignore_unknown_fields else []
        rules_code = check_rules.run([*flags, *rule_files])
        code = rules_code or code
    return code


class _CheckError(Exception):
    """A file that the configuration names can't be used."""


def _checked_files(config: Config) -> list[str]:
    """The rule files; the other files that are named must be there. Raises `_CheckError`."""
    rule_files, unmatched = matching_files(config.rule_files)
    for pattern in unmatched:
        if "*" not in pattern:
            raise _CheckError(f'"{pattern}" does not point to an existing file')
    for key, name in _named_files(config):
        if not os.path.isfile(name):
            raise _CheckError(f'{key}: "{name}" does not point to an existing file')
    for job in config.scrape_configs:
        _check_discovered(job)
    return list(rule_files)


def _named_files(section: Section, path: str = "") -> Iterator[tuple[str, str]]:
    """The files that are read while the server runs: where they are named, and their names."""
    if isinstance(section, FileDiscoveryConfig):
        return  # its names are patterns, looked at on their own
    for info in msgspec.structs.fields(section):
        value = getattr(section, info.name)
        here = f"{path}.{info.encode_name}".lstrip(".")
        if _is_file(info.type) and info.name not in _NOT_READ:
            names = (value,) if isinstance(value, str) else value
            yield from ((here, name) for name in names if name)
        elif isinstance(value, Section):
            is_inline = Kind.INLINE in getattr(info.type, "__metadata__", ())
            yield from _named_files(value, path if is_inline else here)
        elif isinstance(value, (tuple, dict)):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in items:
                if isinstance(item, Section):
                    yield from _named_files(item, f"{here}[{key}]")


def _is_file(type_: Any) -> bool:
    """Whether a field holds the name of a file, or several."""
    inner = get_args(type_)[0] if getattr(type_, "__origin__", None) is tuple else type_
    return Kind.FILE in getattr(inner, "__metadata__", ())


def _check_discovered(job: ScrapeConfig) -> None:
    for discovery in job.discoveries:
        if isinstance(discovery, FileDiscoveryConfig):
            files, unmatched = matching_files(discovery.files)
            for pattern in unmatched:
                print(
                    f'  WARNING: file "{pattern}" for file_sd in scrape job "{job.job_name}" does not exist'
                )
            for name in files:
                _check_targets(name)


def _check_targets(name: str) -> None:
    read = groups_of_json if name.lower().endswith(".json") else groups_of_yaml
    try:
        with open(name, "rb") as file:
            read(file.read(), name, {})
    except (OSError, CollectorError) as error:
        raise _CheckError(f'checking SD file "{name}": {error}') from error


def _lint_intervals(config: Config, lookback_ms: int) -> bool:
    """Whether a job's samples would be too far apart for queries."""
    for job in config.scrape_configs:
        if job.scrape_interval_ms >= lookback_ms:
            print(
                "  FAILED: too long scrape interval found, data point will be marked as stale - "
                f"job: {job.job_name}, interval: {format_duration_ms(job.scrape_interval_ms)}",
                file=sys.stderr,
            )
            return True
    return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom check config",
        description="Check configuration files, the files that they name, and their rules.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--syntax-only", action="store_true", help="don't look at the files that are named")
    parser.add_argument("--lint", choices=_LINTS, default="duplicate-rules", help="default duplicate-rules")
    parser.add_argument("--lint-fatal", action="store_true", help="exit with 3 if there is lint")
    parser.add_argument(
        "--query.lookback-delta", dest="lookback", default="5m", metavar="TIME", help="the server's"
    )
    parser.add_argument(
        "--ignore-unknown-fields", action="store_true", help="accept unknown keys in rule files"
    )
    return parser
