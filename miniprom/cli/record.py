"""`miniprom record URL`: what a server has and answers, as one file to test with."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from miniprom.cli.query import QueryFailedError, add_window_arguments, ask

if TYPE_CHECKING:
    from miniprom.recording.record import Recorded

_EPILOG: Final = """\
examples:
  miniprom record http://localhost:9090 --query 'sum(rate(http_requests_total[5m]))' -o canary.json
  miniprom record http://localhost:9090 --queries dashboard.txt -o dashboard.json.gz \\
      --start 2026-01-01T10:00:00Z --end 2026-01-01T11:00:00Z --step 30s
  miniprom record http://localhost:9090 --match '{job="api"}' -o api.json.gz \\
      --start 2026-01-01T10:00:00Z --end 2026-01-01T11:00:00Z
"""
_SETTLED_MS: Final = 15_000
"""What was being scraped so long ago is stored by now."""


def run(arguments: Sequence[str]) -> int:
    """Record, and write the file."""
    from miniprom.recording import write_recording  # noqa: PLC0415  --help needs no numpy

    options = _parser().parse_args(arguments)
    recorded = _recorded(options)
    content = write_recording(recorded.recording, compressed=options.output.suffix == ".gz")
    try:
        options.output.write_bytes(content)
    except OSError as error:
        raise QueryFailedError(f"{options.output}: {error.strerror}") from error
    if recorded.left_out:
        print(f"warning: {recorded.left_out:,} native histograms are left out", file=sys.stderr)
    series = recorded.recording.samples
    samples = sum(len(values) for _, values in series.values())
    print(f"{options.output}: {len(series):,} series, {samples:,} samples")
    return 0


def _recorded(options: argparse.Namespace) -> "Recorded":
    from miniprom.cli.windows import query_window  # noqa: PLC0415  as above
    from miniprom.recording.record import Wanted, record  # noqa: PLC0415  as above
    from query import ParseError, PlanError  # noqa: PLC0415  as above

    window = query_window(options, int(time.time() * 1000) - _SETTLED_MS)
    wanted = [Wanted(query, window) for query in (*options.query, *_queries_in(options.queries))]
    wanted += [Wanted(selector, window, keeps_answer=False) for selector in options.match]
    if not wanted:
        raise QueryFailedError("nothing to record: expected --query, --queries or --match")

    def asked(endpoint: str, parameters: Mapping[str, str]) -> Any:
        return ask(options.url, parameters, options.timeout, endpoint)

    try:
        return record(asked, options.url, wanted)
    except ParseError as error:
        raise QueryFailedError(error.drawing) from error
    except PlanError as error:
        raise QueryFailedError(str(error)) from error


def _queries_in(file: Path | None) -> list[str]:
    """The queries of a file, one a line."""
    if file is None:
        return []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QueryFailedError(f"{file}: {error}") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom record",
        description="Record queries: the raw series that they read, which a fake server replays, and the "
        "answers. Without times they are asked as of 15 s ago.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", help="the server, such as http://localhost:9090")
    parser.add_argument("--query", action="append", default=[], metavar="EXPR", help="a query; repeatable")
    parser.add_argument("--queries", type=Path, metavar="FILE", help="a file with a query a line")
    parser.add_argument(
        "--match", action="append", default=[], metavar="SELECTOR", help="raw series alone; repeatable"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file; .gz compresses it")
    add_window_arguments(parser)
    return parser
