"""`miniprom simulate`: simulated Flux controllers on loopback, for any Prometheus to scrape."""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from collector.clock import SystemClock
from miniprom.simulator import Cluster, Era, ServedTargets, SimulatedTargets, serve

_EPILOG: Final = """\
examples:
  miniprom simulate --write-config prometheus.yml
  miniprom simulate --era v0 --objects 1000 --first-port 18080
"""


def run(arguments: Sequence[str]) -> int:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    targets = SimulatedTargets(Cluster(SystemClock().now_ms(), objects=options.objects), Era(options.era))
    asyncio.run(_serve(targets, options.first_port, options.write_config))
    return 0


@contextlib.asynccontextmanager
async def serving(targets: SimulatedTargets, first_port: int = 0) -> AsyncIterator[ServedTargets]:
    """Targets that are served while the context lasts."""
    served = await serve(targets, SystemClock(), first_port=first_port)
    try:
        yield served
    finally:
        await served.stop()


async def until_interrupted() -> None:
    """Return on SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


async def _serve(targets: SimulatedTargets, first_port: int, config_file: Path | None) -> None:
    async with serving(targets, first_port) as served:
        for name, address in served.addresses.items():
            print(f"http://{address}/metrics  {name}")
        if config_file:
            config_file.write_text(targets.scrape_config(served.addresses))
            print(f"Scrape configuration: {config_file}")
        print("Ctrl-C ends it.", flush=True)
        await until_interrupted()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom simulate",
        description="Serve the /metrics pages of simulated Flux controllers, one port each.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    eras = [era.value for era in Era]
    parser.add_argument(
        "--era", choices=eras, default=Era.V2.value, help="metrics of Flux v0 or of today (default v2)"
    )
    parser.add_argument("--objects", type=int, default=52, metavar="N", help="custom resources (default 52)")
    parser.add_argument(
        "--first-port", type=int, default=0, metavar="PORT", help="ports from here on (default: free ones)"
    )
    parser.add_argument(
        "--write-config", type=Path, metavar="FILE", help="write a prometheus.yml that scrapes them"
    )
    return parser
