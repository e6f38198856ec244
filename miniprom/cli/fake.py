"""`miniprom fake`: a Prometheus for tests, whose time, samples and faults the test decides over."""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Final

from miniprom.errors import MinipromError

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
    asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    from collector.clock import SystemClock  # noqa: PLC0415  --help needs none of it
    from miniprom.fake.fields import time_ms  # noqa: PLC0415  as above
    from miniprom.fake.files import configure_from, load_from  # noqa: PLC0415  as above
    from miniprom.fake.server import Address, FakeServer  # noqa: PLC0415  as above
    from miniprom.logs import set_up_logging  # noqa: PLC0415  as above

    set_up_logging(options.log_level, "logfmt")
    now_ms = SystemClock().now_ms() // 1000 * 1000
    try:
        start_ms = time_ms(options.start, now_ms)
    except ValueError as error:
        raise BadOptionError(f"--start: {error}") from error
    host, colon, port = options.listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise BadOptionError(f"--listen: expected host:port such as 127.0.0.1:0, got {options.listen!r}")
    server = FakeServer(start_ms, Address(host.strip("[]") or "127.0.0.1", int(port)))
    await server.start()
    if options.config:
        await configure_from(server.world, options.config)
    for path in options.load:
        load_from(server.world, path)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stopped.set)
    if options.parent_pid:
        _watch_process(options.parent_pid, server.stopped.set)
    if options.until_stdin_closes:
        await _watch_stdin(server.stopped.set)
    gc.freeze()
    gc.enable()
    print(json.dumps({"url": server.url, "control_url": server.control_url, "pid": os.getpid()}), flush=True)
    await server.stopped.wait()
    await server.stop()


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

    try:
        await asyncio.get_running_loop().connect_read_pipe(Watch, sys.stdin)
    except ValueError as error:
        raise BadOptionError(f"--until-stdin-closes: standard input is not a pipe ({error})") from error


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
