"""`miniprom tsdb dump|import`: samples of a folder or a server, as OpenMetrics text with timestamps."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np

from miniprom.errors import MinipromError
from miniprom.openmetrics import END, OpenMetricsError, lines, read_points
from tsdb import Store, TsdbError, is_sample, labels_from
from tsdb.disk import Disk
from tsdb.history import matrices
from tsdb.rewriting import insert
from tsdb.sample import FOREVER_MS, NEVER_MS
from tsdb.wal import load
from tsdb.wal_store import LoggedStore

_EPILOG: Final = """\
examples:
  miniprom tsdb dump data/ > samples.txt
  miniprom tsdb dump http://localhost:9090 --range 30m > samples.txt
  miniprom tsdb import samples.txt data/                   while no server uses the folder
  miniprom tsdb import samples.txt http://localhost:9090   needs --web.enable-admin-api there
  promtool tsdb create-blocks-from openmetrics samples.txt prometheus-data/
"""
_TIMEOUT_SECONDS: Final = 120
_MAX_BODY_BYTES: Final = 16 << 20


class TransferFailedError(MinipromError):
    """Samples that can't be read, or not be written."""


def run(arguments: Sequence[str]) -> int:
    """Dump or import."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (OSError, HTTPException, TsdbError) as error:
        raise TransferFailedError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom tsdb",
        description="Samples of a storage folder or a server, as OpenMetrics text with timestamps.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="dump|import")
    dump = commands.add_parser("dump", help="write the samples to standard output")
    dump.add_argument("source", metavar="DIR|URL", help="a storage folder, or any Prometheus")
    dump.add_argument("--range", default="2h", help="how far back to ask a server (default 2h)")
    dump.set_defaults(command=_dump)
    import_ = commands.add_parser("import", help="add samples, at any time inside the retention")
    import_.add_argument("file", metavar="FILE", help="OpenMetrics text; - is standard input")
    import_.add_argument(
        "target", metavar="DIR|URL", help="a storage folder that no server uses, or a server"
    )
    import_.set_defaults(command=_import)
    return parser


def _dump(options: argparse.Namespace) -> int:
    texts = (
        _of_server(options.source, options.range) if _is_url(options.source) else _of_folder(options.source)
    )
    sys.stdout.writelines(texts)
    sys.stdout.write(END)
    return 0


def _of_folder(folder: str) -> Iterator[str]:
    store = Store(retention_ms=None)
    loaded = load(Disk(), Path(folder), store)
    for problem in loaded.problems:
        print(f"warning: {problem}", file=sys.stderr)
    selection = store.snapshot(0).select((), NEVER_MS, FOREVER_MS)
    if selection.histograms:
        print(f"warning: left out {len(selection.histograms)} series of native histograms", file=sys.stderr)
    labels = selection.labels.series()
    for series, timestamps_ms, values in matrices(selection):
        present = is_sample(values)
        for column, position in enumerate(series.tolist()):
            rows = np.arange(len(values)) if present is None else np.flatnonzero(present[:, column])
            yield from lines(labels[position], timestamps_ms[rows].tolist(), values[rows, column].tolist())


def _of_server(url: str, span: str) -> Iterator[str]:
    """Metric by metric, all as of one moment."""
    now = f"{time.time():.3f}"
    for name in _get(url, "/api/v1/label/__name__/values", {}):
        found = _get(url, "/api/v1/query", {"query": f"{{__name__={json.dumps(name)}}}[{span}]", "time": now})
        for series in found["result"]:
            if "histograms" in series:
                print(f"warning: left out native histograms of {name}", file=sys.stderr)
            points = series.get("values", ())
            times_ms = [round(seconds * 1000) for seconds, _ in points]
            yield from lines(labels_from(series["metric"]), times_ms, [float(text) for _, text in points])


def _import(options: argparse.Namespace) -> int:
    body = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
    if _is_url(options.target):
        for part in _parts(body):
            answer = _ask(Request(f"{options.target.rstrip('/')}/api/v1/admin/tsdb/import", data=part))
            print(f"imported {answer['samples']} samples of {answer['series']} series", end="")
            print(f"; {answer['tooOld']} were older than the retention" if answer["tooOld"] else "")
        return 0
    points = read_points(body)
    store = LoggedStore(retention_ms=None)
    loaded = store.open(Disk(), Path(options.target), 0)
    for problem in loaded.problems:
        print(f"warning: {problem}", file=sys.stderr)
    log = store.log
    if log is None:
        raise TransferFailedError(f"{options.target} can't be opened")
    insert(store, points, 0)
    log.finish(log.begin(store, 0))
    log.close()
    samples = sum(len(times_ms) for times_ms, _ in points.values())
    print(f"imported {samples} samples of {len(points)} series")
    return 0


def _parts(body: bytes) -> Iterator[bytes]:
    """The text in pieces that a server takes, each a whole text."""
    end = END.encode()
    if not body.endswith((end, end.rstrip())):
        raise OpenMetricsError("expected '# EOF' at the end")
    text = body[: body.rindex(b"# EOF")]
    start = 0
    while start < len(text):
        stop = (
            len(text)
            if len(text) - start <= _MAX_BODY_BYTES
            else text.rindex(b"\n", start, start + _MAX_BODY_BYTES) + 1
        )
        yield text[start:stop] + end
        start = stop


def _is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _get(url: str, path: str, parameters: dict[str, str]) -> Any:
    query = f"?{urlencode(parameters)}" if parameters else ""
    return _ask(Request(url.rstrip("/") + path + query))


def _ask(request: Request) -> Any:
    """The `data` of an answer. Raises `TransferFailedError`, `OSError`."""
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
            return json.load(response)["data"]
    except HTTPError as error:
        text = error.read().decode(errors="replace")
        raise TransferFailedError(f"{request.full_url}: HTTP {error.code}: {text[:500]}") from error
