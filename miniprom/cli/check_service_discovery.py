"""`miniprom check service-discovery FILE JOB`: what a job discovers, before and after relabelling."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry

from collector.clock import SystemClock
from collector.config import ScrapeConfig
from collector.discovery.factory import DiscoveryFactory
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery.metrics import DiscoveryMetrics
from collector.errors import DiscoveryError, TargetError, UnitError
from collector.relabel import compile_rules
from collector.target import TargetGroup, discovered_labels, make_target
from collector.units import parse_duration_ms
from miniprom.config import load_config

_EXAMPLES: Final = """\
examples:
  miniprom check service-discovery prometheus.yml kubernetes-pods
  miniprom check service-discovery --timeout=5s prometheus.yml nodes
"""


def run(arguments: Sequence[str]) -> int:
    """Exit code 0, or 1 for a job that is not there or can't look."""
    options = _parser().parse_args(arguments)
    jobs = {job.job_name: job for job in load_config(options.file).scrape_configs}
    job = jobs.get(options.job)
    if job is None:
        print(f"Job {options.job} not found. Select one of:", *jobs, sep="\n\t", file=sys.stderr)
        return 1
    try:
        groups = asyncio.run(_discover(job, options.timeout / 1000))
    except DiscoveryError as error:
        print(f"miniprom: {error}", file=sys.stderr)
        return 1
    print(json.dumps(results(job, groups), indent=2))
    return 0


def results(job: ScrapeConfig, groups: Iterable[TargetGroup]) -> list[dict[str, Any]]:
    """For each target what promtool prints: its labels before and after relabelling, each result once."""
    rules = compile_rules(job.relabel_configs, job.name_scheme)
    found: list[dict[str, Any]] = []
    for group in groups:
        for own in group.targets:
            discovered = discovered_labels(job, own, group.labels)
            result: dict[str, Any] = {"discoveredLabels": dict(sorted(discovered.items())), "labels": {}}
            try:
                target = make_target(job, discovered, rules)
                result["labels"] = dict(target.labels) if target else {}
            except TargetError as error:
                result["error"] = str(error)
            if result not in found:
                found.append(result)
    return found


async def _discover(job: ScrapeConfig, seconds: float) -> list[TargetGroup]:
    """All that is found until the time is up. Raises `DiscoveryError`."""
    factory = DiscoveryFactory(SystemClock(), DiscoveryMetrics(CollectorRegistry()), Surroundings(os.environ))
    discoveries = [factory.create(section, job.job_name) for section in job.discoveries]
    tasks = [asyncio.create_task(discovery.run(_nothing)) for discovery in discoveries]
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    static = [
        TargetGroup.of_addresses(group.targets, group.labels, str(position))
        for position, group in enumerate(job.static_configs)
    ]
    return [*static, *(group for discovery in discoveries for group in discovery.groups())]


def _nothing() -> None:
    pass


def _duration_ms(text: str) -> int:
    try:
        return parse_duration_ms(text)
    except UnitError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="miniprom check service-discovery",
        description="Look for the targets of a job, and print their labels before and after relabelling.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the configuration file")
    parser.add_argument("job", metavar="JOB", help="the job_name")
    parser.add_argument(
        "--timeout",
        type=_duration_ms,
        default="30s",
        metavar="DURATION",
        help="default 30s",
    )
    return parser
