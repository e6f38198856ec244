"""`miniprom fake` as a child process: isolated from the test's modules, clocks and event loops.

It ends when its standard input does, which is when the parent ends, however that happens; should a fork of
the parent have kept the pipe open, it sees the parent's process id vanish.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from miniprom.testing.client import FakePrometheus, client_of
from miniprom.testing.errors import ServerDiedError

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0
_LAST_WORDS_BYTES: Final = 4096


class ServerLeakWarning(UserWarning):
    """The server's process did not end as it should, or complained."""


class ServerProcess:
    """One child process. Starting returns when it answers; `stop` when it is gone."""

    keeps_journal = True

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        """`arguments` of `miniprom fake`. Raises `ServerDiedError` if it does not start."""
        self._arguments = tuple(arguments)
        self._owner = os.getpid()
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def client(self, tenant: str | None = None) -> FakePrometheus:
        """A client of the server, or of one of its tenants. Close it at the end."""
        return client_of(self.url, self.control_url, tenant)

    def _start(self) -> None:
        # A file, not a pipe: nobody reads until something went wrong, and a full pipe would stop the server.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed by `stop`
        self._process = subprocess.Popen(
            [
                sys.executable, "-I", "-m", "miniprom", "fake",
                "--listen", "127.0.0.1:0", "--until-stdin-closes", "--parent-pid", str(os.getpid()),
                *self._arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,  # Ctrl-C is for the tests; the server ends after them
        )  # fmt: skip
        line = self._first_line()
        try:
            addresses = json.loads(line)
            self.url: str = addresses["url"]
            self.control_url: str = addresses["control_url"]
        except (ValueError, KeyError, TypeError) as error:
            self._process.kill()
            self._process.wait()
            reason = self.death()
            self._close()
            raise ServerDiedError(f"miniprom fake did not start: {reason}") from error

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def restart(self) -> None:
        """A new process, at another port, in place of one that died."""
        self._process.kill()
        self._process.wait()
        self._close()
        self._start()

    def death(self) -> str:
        """How the process ended, with the end of what it wrote; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        words = self.last_words()
        return f"{how}; its last words:\n{words}" if words else how

    def last_words(self) -> str:
        """The end of what it wrote on its standard error."""
        size = os.fstat(self._stderr.fileno()).st_size
        start = max(0, size - _LAST_WORDS_BYTES)
        return os.pread(self._stderr.fileno(), _LAST_WORDS_BYTES, start).decode(errors="replace").strip()

    def stop(self) -> None:
        """End the process. Warns with `ServerLeakWarning` if it must be killed, or had something to say."""
        if self._owner != os.getpid() or self._stderr.closed:  # a fork of the test is not to end its server
            return
        has_died = self._process.poll() is not None
        assert self._process.stdin
        self._process.stdin.close()
        patience = threading.Timer(_STOP_SECONDS, self._process.kill)
        patience.start()
        code = self._process.wait()  # without a timeout, which would read a clock that may stand still
        patience.cancel()
        words = self.last_words()
        self._close()
        if has_died:
            return
        if code == -signal.SIGKILL:
            warnings.warn(f"miniprom fake did not end and was killed\n{words}", ServerLeakWarning, 2)
        elif words:
            warnings.warn(f"miniprom fake complained\n{words}", ServerLeakWarning, 2)

    def _first_line(self) -> bytes:
        assert self._process.stdout
        patience = threading.Timer(_START_SECONDS, self._process.kill)
        patience.daemon = True
        patience.start()
        line = self._process.stdout.readline()
        patience.cancel()
        return line

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            if stream:
                stream.close()
