"""From a Kustomization that starts to fail to the alert in a real Alertmanager, and back."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from benchmarks.programs import free_port
from collector.clock import VirtualClock
from collector.config import ScrapeConfig
from collector.discovery_config import StaticConfig
from collector.fetch import Request, Response
from collector.manager import ScrapeManager
from miniprom.config import parse_config
from miniprom.config.sections import AlertmanagerConfig
from miniprom.notify.alertmanagers import Alertmanagers
from miniprom.rules.evaluation import Environment
from miniprom.rules.files import RuleFileOptions, load_rule_files
from miniprom.rules.manager import RuleManager, RuleOptions, RuleSettings
from miniprom.rules.rule_state import AlertingState
from miniprom.simulator.catalog import Era
from miniprom.simulator.cluster import Cluster
from miniprom.simulator.stories import Outcome, Story
from miniprom.simulator.targets import CONTENT_TYPE, SimulatedTargets
from query import Engine
from tests.end_to_end.programs import eventually, fetch, program, running
from tsdb import Store

pytestmark = pytest.mark.peer

MINUTE_MS = 60_000
# For Alertmanager, whose time is the real one, what resolved in virtual time is over, and what fires is not:
# a message about that is good for four resend delays.
STARTED_BEFORE_MS = 18 * MINUTE_MS
RESEND_DELAY_MS = 2 * MINUTE_MS
FAILING = Story("Kustomization", "kustomization-0", 0, 15.75 * 60, outcome=Outcome.FAILURE)
RULES = """
groups:
  - name: flux
    interval: 15s
    rules:
      - alert: ReconciliationFailure
        expr: gotk_reconcile_condition{type="Ready",status="False"} == 1
        for: 10m
        labels: {severity: page}
        annotations:
          summary: '{{ $labels.kind }} {{ $labels.namespace }}/{{ $labels.name }} has failed'
"""
ALERTMANAGER = """
route: {receiver: nobody}
receivers: [{name: nobody}]
"""


class World:
    """The simulated controllers, and what watches them, on one virtual clock."""

    def __init__(self, rule_file: Path, alertmanager: str) -> None:
        started_ms = time.time_ns() // 1_000_000 - STARTED_BEFORE_MS
        self.clock = VirtualClock(started_ms)
        self.targets = SimulatedTargets(Cluster(started_ms, stories=(FAILING,)), Era.V0)
        self.registry = CollectorRegistry()
        store = Store(retention_ms=120 * MINUTE_MS)
        self.alertmanagers = Alertmanagers(self.clock, self.registry)
        self.rules = RuleManager(
            store, self.clock, notifier=self.alertmanagers, options=RuleOptions(RESEND_DELAY_MS)
        )
        self.scrape = ScrapeManager(store, self.clock, new_fetcher=lambda _: self)
        self._rule_file = rule_file
        self._alertmanager = alertmanager

    async def fetch(self, request: Request) -> Response:
        name = request.url.removeprefix("http://").partition(":")[0]
        return Response(CONTENT_TYPE, self.targets.body(name, self.clock.now_ms()))

    async def close(self) -> None:
        """It is the fetcher of all jobs."""

    async def start(self) -> None:
        static = StaticConfig(targets=(self._alertmanager,))
        await self.alertmanagers.apply((AlertmanagerConfig(static_configs=(static,), timeout_ms=5000),))
        await self.scrape.apply(self._jobs())
        groups = load_rule_files([str(self._rule_file)], RuleFileOptions())
        environment = Environment(Engine(), {"cluster": "test"}, "http://prometheus")
        await self.rules.apply(RuleSettings(groups, environment))

    async def stop(self) -> None:
        await self.rules.stop()
        await self.alertmanagers.stop()
        await self.scrape.stop()

    def states(self) -> list[str]:
        """The states of the alerts."""
        rule = self.rules.groups()[0].rules[0]
        assert isinstance(rule, AlertingState)
        return [alert.state.value for alert in rule.active]

    def count(self, name: str) -> float:
        url = f"http://{self._alertmanager}/api/v2/alerts"
        value = self.registry.get_sample_value(f"prometheus_notifications_{name}", {"alertmanager": url})
        return value or 0.0

    def _jobs(self) -> tuple[ScrapeConfig, ...]:
        addresses = {name: f"{name}:8080" for name in self.targets.names}
        return parse_config(self.targets.scrape_config(addresses), "prometheus.yml").scrape_configs


def alerts_in(address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(fetch(f"http://{address}/api/v2/alerts"))
    return found


def test_alert_fires_arrives_in_an_alertmanager_that_comes_and_goes_and_resolves(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "alertmanager.yml").write_text(ALERTMANAGER)
    address = f"127.0.0.1:{free_port()}"

    @contextmanager
    def alertmanager(storage: str) -> Iterator[None]:
        """One that knows nothing yet."""
        command = [
            program("prometheus-alertmanager"),
            f"--config.file={tmp_path}/alertmanager.yml",
            f"--storage.path={tmp_path}/{storage}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ]
        with running(command, tmp_path / f"{storage}.log"):
            eventually(lambda: alerts_in(address), lambda alerts: alerts == [])
            yield

    async def story() -> None:
        world = World(tmp_path / "rules.yml", address)
        await world.start()
        await world.clock.advance(9 * MINUTE_MS)
        assert world.states() == ["pending"]
        await world.clock.advance(int(3.5 * MINUTE_MS))
        assert world.states() == ["firing"]
        assert (errors := world.count("errors_total")) > 0
        with alertmanager("first"):
            await world.clock.advance(30_000)
            await asyncio.to_thread(eventually, lambda: alerts_in(address), bool)
        await world.clock.advance(RESEND_DELAY_MS + 15_000)
        assert world.count("errors_total") > errors
        with alertmanager("second"):
            await world.clock.advance(30_000)
            (alert,) = await asyncio.to_thread(eventually, lambda: alerts_in(address), bool)
            assert alert["labels"] == {
                "alertname": "ReconciliationFailure",
                "cluster": "test",
                "instance": "kustomize-controller:8080",
                "job": "kustomize-controller",
                "kind": "Kustomization",
                "kubernetes_namespace": "flux-system",
                "kubernetes_pod_name": world.targets.pod_name("kustomize-controller"),
                "name": "kustomization-0",
                "namespace": "flux-system",
                "severity": "page",
                "status": "False",
                "type": "Ready",
            }
            assert alert["annotations"]["summary"] == "Kustomization flux-system/kustomization-0 has failed"
            assert alert["status"]["state"] == "active"
            assert world.count("dropped_total") == 0
            await world.clock.advance(int(2.1 * MINUTE_MS))
            assert world.states() == []
            await asyncio.to_thread(eventually, lambda: alerts_in(address), lambda alerts: alerts == [])
            await world.stop()

    asyncio.run(story())
