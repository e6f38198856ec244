"""`miniprom demo`: simulated Flux controllers, a server that scrapes them, and a first answer."""

import argparse
import asyncio
import contextlib
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from collector.clock import SystemClock
from miniprom.cli.query import QueryFailedError, aligned, ask, table
from miniprom.cli.simulate import serving, until_interrupted
from miniprom.errors import MinipromError
from miniprom.simulator import Cluster, SimulatedTargets

FIRST_QUERY: Final = "count by (customresource_kind, ready) (gotk_resource_info)"
OTHER_QUERIES: Final = (
    'gotk_resource_info{ready="False"}',
    "sum by (controller, result) (rate(controller_runtime_reconcile_total[1m]))",
    "histogram_quantile(0.9, sum by (le) (rate(controller_runtime_reconcile_time_seconds_bucket[5m])))",
)
_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5
_AGE_MS: Final = 600_000
"""How long the simulated cluster has been running already, so that its stories show."""


class DemoFailedError(MinipromError):
    """The server that the demo starts does not answer."""


def run(arguments: Sequence[str]) -> int:
    """Show the demo; without `--once` until interrupted."""
    parser = argparse.ArgumentParser(prog="miniprom demo", description=__doc__)
    parser.add_argument("--port", type=int, default=9090, help="of the server (default 9090, or a free one)")
    parser.add_argument("--once", action="store_true", help="end after the first answer")
    options = parser.parse_args(arguments)
    asyncio.run(_show(_free_port(options.port), once=options.once))
    return 0


async def _show(port: int, *, once: bool) -> None:
    targets = SimulatedTargets(Cluster(SystemClock().now_ms() - _AGE_MS))
    url = f"http://127.0.0.1:{port}"
    async with serving(targets) as served:
        print(f"{len(targets.names)} simulated targets of a Flux cluster are up, for example")
        for name in targets.names[:2]:
            print(f"  http://{served.addresses[name]}/metrics  {name}")
        config = targets.scrape_config(served.addresses, scrape_interval="2s")
        async with _server(config, port):
            print(
                f"Starting miniprom, which scrapes them every 2 seconds ...\n\n  {FIRST_QUERY}\n", flush=True
            )
            rows = await _first_answer(url)
            print("\n".join(f"  {line}" for line in aligned(rows)))
            print(f"\nOpen {url} in a browser, or ask more:")
            for query in OTHER_QUERIES:
                print(f"  miniprom query {url} '{query}'")
            if not once:
                print("\nCtrl-C ends it.", flush=True)
                await until_interrupted()


@contextlib.asynccontextmanager
async def _server(config: str, port: int) -> AsyncIterator[None]:
    """A server in a process of its own, with the given prometheus.yml."""
    with tempfile.TemporaryDirectory(prefix="miniprom-demo-") as folder:
        config_file = Path(folder, "prometheus.yml")
        config_file.write_text(config)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "miniprom",
            f"--config.file={config_file}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.path=",
            "--log.level=error",
        )
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _first_answer(url: str) -> list[list[str]]:
    """The table of the first query, as soon as there is one. Raises `DemoFailedError`."""
    failure = "no samples arrived"
    for _ in range(int(_PATIENCE_SECONDS / _POLL_SECONDS)):
        await asyncio.sleep(_POLL_SECONDS)
        try:
            rows = table(await asyncio.to_thread(ask, url, {"query": FIRST_QUERY}, 5.0))
        except QueryFailedError as error:
            failure = str(error)
            continue
        if len(rows) > 1:
            return rows
    raise DemoFailedError(f"the server at {url} gave no answer within {_PATIENCE_SECONDS:.0f} s: {failure}")


def _free_port(wanted: int) -> int:
    """`wanted`, or any free port if another program has it."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            free: int = probe.getsockname()[1]
            return free
    raise DemoFailedError("no free port on 127.0.0.1")
