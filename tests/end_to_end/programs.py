"""Real programs as child processes, and waiting for what they do."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from benchmarks.programs import free_port

T = TypeVar("T")

_PATIENCE_SECONDS = 20.0


def program(name: str) -> str:
    """The path of a program; skips the test where the machine has none."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A child process, stopped by SIGTERM at the end; its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def miniprom(config: str, folder: Path, *flags: str) -> "Iterator[tuple[str, subprocess.Popen[bytes]]]":
    """Our server with `config`: its URL and its process."""
    file, log = folder / "prometheus.yml", folder / "miniprom.log"
    file.write_text(config)
    url = f"http://127.0.0.1:{free_port()}"
    address = url.removeprefix("http://")
    command = [sys.executable, "-m", "miniprom", f"--config.file={file}", f"--web.listen-address={address}"]
    with running([*command, *flags], log) as process:
        eventually(lambda: fetch(f"{url}/-/ready"), lambda text: "Ready" in text)
        yield url, process


def eventually(ask: Callable[[], T], holds: Callable[[T], object]) -> T:
    """The first answer for which `holds`; fails with the last one when patience ends."""
    end = time.monotonic() + _PATIENCE_SECONDS
    answer: object = None
    while time.monotonic() < end:
        try:
            found = ask()
            if holds(found):
                return found
            answer = found
        except OSError as error:
            answer = error
        time.sleep(0.05)
    pytest.fail(f"still not so after {_PATIENCE_SECONDS:g} s: {answer}")


def fetch(url: str) -> str:
    """The body of a GET. Raises `OSError`."""
    with urlopen(url, timeout=5) as response:
        text: str = response.read().decode()
        return text


def query(url: str, expr: str) -> list[dict[str, Any]]:
    """The result of an instant query. Raises `OSError`."""
    answer = json.loads(fetch(f"{url}/api/v1/query?{urlencode({'query': expr})}"))
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result
