"""The programs under test as child processes on loopback: ours, and the peers that are installed."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Program:
    """How to start a program with a configuration file, a data folder and a port."""

    name: str
    executable: str
    arguments: Callable[[Path, Path, int], list[str]]
    ready_path: str

    @property
    def is_installed(self) -> bool:
        return shutil.which(self.executable) is not None


MINIPROM = Program(
    "miniprom",
    sys.executable,
    lambda config, _, port: [
        "-m", "miniprom", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver", "--storage.tsdb.path=", "--storage.tsdb.retention.time=3h",
        "--log.level=error",
    ],
    "/-/ready",
)  # fmt: skip
DURABLE_MINIPROM = Program(
    "miniprom",
    sys.executable,
    lambda config, data, port: [
        *(flag for flag in MINIPROM.arguments(config, data, port) if flag != "--storage.tsdb.path="),
        f"--storage.tsdb.path={data}",
    ],
    "/-/ready",
)
PROMETHEUS = Program(
    "prometheus",
    "prometheus",
    lambda config, data, port: [
        f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={data}",
        "--web.enable-remote-write-receiver", "--log.level=error",
    ],
    "/-/ready",
)  # fmt: skip
VICTORIA_METRICS = Program(
    "victoria-metrics",
    "victoria-metrics",
    lambda config, data, port: [
        f"-promscrape.config={config}", f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={data}",
        "-search.disableCache", "-search.latencyOffset=0s", "-loggerLevel=ERROR", "-retentionPeriod=1d",
        "-search.maxUniqueTimeseries=1000000", "-promscrape.config.strictParse=false",
    ],
    "/health",
)  # fmt: skip
PEERS = (PROMETHEUS, VICTORIA_METRICS)


@dataclass(frozen=True)
class Running:
    """A started program."""

    program: Program
    process: subprocess.Popen[bytes]
    url: str
    ready_seconds: float

    def cpu_seconds(self) -> float:
        """User and system time so far, all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def rss_bytes(self) -> int:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=120) as response:
            body: bytes = response.read()
            return body

    @contextlib.contextmanager
    def kept_alive(self) -> Iterator[Callable[[str], bytes]]:
        """A `get` over one connection, as browsers and Grafana ask."""
        with contextlib.closing(HTTPConnection(self.url.removeprefix("http://"), timeout=120)) as connection:

            def get(path: str) -> bytes:
                connection.request("GET", path)
                response = connection.getresponse()
                body = response.read()
                assert response.status == HTTPStatus.OK, body
                return body

            yield get

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        request = urllib.request.Request(self.url + path, data=body, headers=dict(headers), method="POST")
        with urllib.request.urlopen(request, timeout=120) as response:
            response.read()


@contextlib.contextmanager
def running(program: Program, config: str = "{}\n") -> Iterator[Running]:
    """Start a program, wait until it is ready, and stop it in the end."""
    with tempfile.TemporaryDirectory() as folder, running_in(Path(folder), program, config) as started:
        yield started


@contextlib.contextmanager
def running_in(folder: Path, program: Program, config: str = "{}\n") -> Iterator[Running]:
    """As `running`, with the data that a program left in a folder, if it has run there before."""
    config_file = folder / "prometheus.yml"
    config_file.write_text(config)
    port = free_port()
    started = time.perf_counter()
    command = [program.executable, *program.arguments(config_file, folder / "data", port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(process, url + program.ready_path)
            yield Running(program, process, url, time.perf_counter() - started)
        finally:
            process.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, limit_seconds: float = 30.0) -> None:
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with exit code {process.returncode}")
        with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.005)
    raise TimeoutError(f"{url} did not answer within {limit_seconds:.0f} s")
