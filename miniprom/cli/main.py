"""Finds the command and imports no other: start-up time is a feature."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from miniprom.errors import MinipromError

Command = Callable[[Sequence[str]], int]

_COMMANDS: Final = {
    "serve": "miniprom.cli.serve",
    "query": "miniprom.cli.query",
    "explain": "miniprom.cli.explain",
    "why": "miniprom.cli.why",
    "record": "miniprom.cli.record",
    "check": "miniprom.cli.check",
    "test": "miniprom.cli.test",
    "simulate": "miniprom.cli.simulate",
    "demo": "miniprom.cli.demo",
    "fake": "miniprom.cli.fake",
    "tsdb": "miniprom.cli.tsdb",
}
"""Each module has a `run(arguments) -> exit code`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; without a command's name in front, serve."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # nothing multiplies matrices; its threads would spin
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given.pop(0) if given and not given[0].startswith("-") else "serve"
    module = _COMMANDS.get(name)
    if module is None:
        known = ", ".join(_COMMANDS)
        print(f'miniprom: unknown command "{name}"; expected one of {known}', file=sys.stderr)
        return 2
    try:
        return _run(module, given)
    except MinipromError as error:
        print(f"miniprom: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who reads has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left to be flushed
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _run(module: str, arguments: Sequence[str]) -> int:
    run: Command = import_module(module).run
    try:
        return run(arguments)
    finally:
        sys.stdout.flush()  # here, where a reader who has left is no error
