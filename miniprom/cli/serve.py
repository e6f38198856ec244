"""`miniprom [flags]`: the server, with Prometheus's flags."""

import argparse
import gc
import platform
from collections.abc import Sequence
from typing import Final, NoReturn

from miniprom.flags import FEATURES, FLAGS, Flag
from miniprom.version import BRANCH, PROMETHEUS_VERSION, REVISION, VERSION

_EPILOG: Final = """\
examples:
  miniprom                                            serve with ./prometheus.yml on port 9090
  miniprom --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.retention.time=30m
  miniprom --web.listen-address=127.0.0.1:9091 --web.enable-lifecycle
  miniprom query http://localhost:9090 'sum by (job) (up)'
  miniprom test promql my_rules.test
"""


def run(arguments: Sequence[str]) -> int:
    """Serve until a signal comes."""
    given = read_flags(arguments)
    gc.disable()  # while nothing is garbage: a tenth of the time to start; enabled once the server is ready
    from miniprom.server import serve  # noqa: PLC0415  --help and --version need none of it
    from miniprom.settings import settings_of  # noqa: PLC0415  as above

    return serve(settings_of(given))


def read_flags(arguments: Sequence[str]) -> dict[str, str]:
    """The flags that were given; those that repeat are joined by commas. Exits on --help and on mistakes."""
    given: dict[str, str] = {}
    for name, value in vars(_parser().parse_args(arguments)).items():
        if value is not None:
            given[name] = ",".join(value) if isinstance(value, list) else str(value)
    return given


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        prefix = "unrecognized arguments: "
        if message.startswith(prefix):
            mistyped = message.removeprefix(prefix).split()[0].partition("=")[0]
            message = f"unknown flag {mistyped}{_suggestion(mistyped)}"
        self.exit(2, f"miniprom: {message}; try --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="miniprom",
        usage="miniprom [flags]\n       miniprom query|explain|check|test|fake|tsdb|simulate|demo --help",
        description="Prometheus in one small process: scrapes, keeps hours in memory, answers PromQL.",
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version_text())
    for flag in FLAGS:
        _add(parser, flag)
    return parser


def _add(parser: argparse.ArgumentParser, flag: Flag) -> None:
    text = flag.help + (f" (accepted, no effect: {flag.ignored})" if flag.ignored else "")
    if flag.name == "enable-feature":
        text += " With effect: " + ", ".join(name for name, reason in FEATURES.items() if not reason) + "."
    if flag.is_switch:
        parser.add_argument(f"--{flag.name}", dest=flag.name, action="store_const", const="true", help=text)
        parser.add_argument(
            f"--no-{flag.name}", dest=flag.name, action="store_const", const="false", help=argparse.SUPPRESS
        )
        return
    if flag.default:
        text += f" Default: {flag.default}."
    parser.add_argument(
        f"--{flag.name}",
        dest=flag.name,
        action="append" if flag.is_repeated else "store",
        metavar="VALUE",
        help=text.replace("%", "%%"),
    )


def version_text() -> str:
    """`--version` in the shape that Prometheus gives it."""
    return (
        f"miniprom, version {VERSION} (branch: {BRANCH}, revision: {REVISION})\n"
        f"  compatible with:  prometheus {PROMETHEUS_VERSION}\n"
        f"  go version:       python{platform.python_version()}\n"
        f"  platform:         {platform.system().lower()}/{platform.machine()}\n"
    )


def _suggestion(mistyped: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  needed after a mistake only

    nearest = get_close_matches(mistyped.removeprefix("--"), [flag.name for flag in FLAGS], n=1)
    return f"; did you mean --{nearest[0]}?" if nearest else ""
