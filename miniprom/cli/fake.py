"""`miniprom fake`: a Prometheus for tests, whose time, samples and faults the test decides over."""

import argparse
import asyncio
import gc
import json
import os
import signal
import stat
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from miniprom.errors import MinipromError

if TYPE_CHECKING:
    from miniprom.fake.server import Address, FakeServer

_EPILOG: Final = """\
It prints one line of JSON when it is ready: url, control_url and pid.

examples:
  miniprom fake
  miniprom fake --listen 127.0.0.1:9090 --start 2024-01-01T00:00:00Z
"""
_POLL_SECONDS: Final = 0.2


class BadOptionError(MinipromError):
    """An option with a value that it can't have."""


def run(arguments: Sequence[str]) -> int:
    """Serve until a signal comes, or whoever started this is gone."""
    options = _parser().parse_args(arguments)
    gc.disable()  # what start-up makes stays for good: looking through it again and again takes a tenth of it
    try:
        asyncio.run(_serve(options))
    finally:
        gc.enable()
    return 0


async def _serve(options: argparse.Namespace) -> None:
    from miniprom.fake.server import FakeServer  # noqa: PLC0415  --help needs none of it
    from miniprom.logs import set_up_logging  # noqa: PLC0415  as above

    set_up_logging(options.log_level, "logfmt")
    server = FakeServer(_start_ms(options.start), _address(options.listen))
    await server.start()
    try:
        await _fill(server, options)
        await _watch(server.stopped.set, options)
        gc.freeze()
        gc.enable()
        ready = {"url": server.url, "control_url": server.control_url, "pid": os.getpid()}
        print(json.dumps(ready), flush=True)
        await server.stopped.wait()
    finally:
        await server.stop()


def _start_ms(text: str) -> int:
    from collector.clock import SystemClock  # noqa: PLC0415  as above
    from miniprom.fake.fields import time_ms  # noqa: PLC0415  as above

    try:
        return time_ms(text, SystemClock().now_ms() // 1000 * 1000)
    except ValueError as error:
        raise BadOptionError(f"--start: {error}") from error


def _address(text: str) -> "Address":
    from miniprom.fake.server import Address  # noqa: PLC0415  as above

    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise BadOptionError(f"--listen: expected host:port such as 127.0.0.1:0, got {text!r}")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


async def _fill(server: "FakeServer", options: argparse.Namespace) -> None:
    from miniprom.fake.files import configure_from, load_from  # noqa: PLC0415  as above

    if options.config:
        await configure_from(server.world, options.config)
    for path in options.load:
        load_from(server.world, path)


async def _watch(stop: Callable[[], None], options: argparse.Namespace) -> None:
    """Call `stop` when it is time to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if options.parent_pid:
        _watch_process(options.parent_pid, stop)
    if options.until_stdin_closes:
        await _watch_stdin(stop)


def _watch_process(pid: int, ended: Callable[[], None]) -> None:
    """Call `ended` once a process is gone."""
    loop = asyncio.get_running_loop()
    if hasattr(os, "pidfd_open"):
        try:
            loop.add_reader(os.pidfd_open(pid), ended)
        except ProcessLookupError:
            ended()
        return

    def poll() -> None:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            ended()
        else:
            loop.call_later(_POLL_SECONDS, poll)

    poll()


async def _watch_stdin(closed: Callable[[], None]) -> None:
    class Watch(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio calls it so
            closed()

    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty()):
        raise BadOptionError("--until-stdin-closes: standard input is not a pipe, which could be closed")
    await asyncio.get_running_loop().connect_read_pipe(Watch, sys.stdin)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom fake",
        description="A Prometheus for tests: its clock stands still, its store is empty, and an API under "
        "/-/fake/ fills it, moves the clock and breaks it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="where (default 127.0.0.1, a free port)")
    add("--start", default="now", metavar="TIME", help="where the clock stands (default: now, to the second)")
    add("--config", metavar="FILE", help="a prometheus.yml, with the rule files that it names")
    add(
        "--load",
        nargs="+",
        default=[],
        metavar="FILE",
        help="samples: a recording, the JSON of a request to load, a .test script, or OpenMetrics text",
    )
    add("--parent-pid", type=int, metavar="PID", help="end when this process does")
    add("--until-stdin-closes", action="store_true", help="end when standard input is closed")
    add("--log-level", choices=("debug", "info", "warn", "error"), default="warn", help="default: warn")
    return parser
