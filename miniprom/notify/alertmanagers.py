"""All Alertmanagers that the configuration names. Upstream: notifier.Manager."""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from prometheus_client import CollectorRegistry

from collector.clock import Clock
from collector.discovery.factory import DiscoveryFactory
from collector.discovery.kubernetes.access import Surroundings
from collector.discovery.manager import DiscoveryManager
from collector.discovery.metrics import DiscoveryMetrics
from collector.discovery_config import DiscoveryConfig
from collector.relabel import NameScheme, Rule, compile_rules, relabel
from miniprom.config.sections import AlertmanagerConfig
from miniprom.notify.endpoints import Endpoints, endpoints, static_groups
from miniprom.notify.metrics import NotifyMetrics
from miniprom.notify.post import HttpPoster, NewPoster, Poster
from miniprom.notify.sender import Sender, SendOptions
from miniprom.rules import Alert
from tsdb import labels_from


@dataclass
class _Section:
    """One entry of `alerting.alertmanagers`, and who sends for it."""

    config: AlertmanagerConfig
    scheme: NameScheme
    poster: Poster
    relabel_rules: Sequence[Rule]
    found: Endpoints = field(default_factory=Endpoints)
    senders: dict[str, Sender] = field(default_factory=dict)


class Alertmanagers:
    """A `Notifier` for Alertmanagers. To be used from one event loop."""

    def __init__(
        self,
        clock: Clock,
        registry: CollectorRegistry | None = None,
        *,
        options: SendOptions | None = None,
        new_poster: NewPoster = HttpPoster,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._clock = clock
        self._options = options or SendOptions()
        self._metrics = NotifyMetrics(registry or CollectorRegistry(), self._options.capacity)
        self._new_poster = new_poster
        self._sections: dict[str, _Section] = {}
        # The registry has the metrics of the discovery of targets, under the same names.
        metrics = DiscoveryMetrics(None)
        factory = DiscoveryFactory(clock, metrics, surroundings or Surroundings(os.environ))
        self._discovery = DiscoveryManager(clock, metrics.manager, factory.create, self._sync)

    @property
    def active(self) -> list[str]:
        """The URLs alerts are sent to."""
        return [url for section in self._sections.values() for url in section.found.active]

    @property
    def dropped(self) -> list[str]:
        """The URLs that relabelling dropped."""
        return [url for section in self._sections.values() for url in section.found.dropped]

    def send(self, alerts: Sequence[Alert]) -> None:
        """Queue alerts for every Alertmanager."""
        for section in self._sections.values():
            wanted = _relabelled(alerts, section.relabel_rules)
            if wanted:
                for sender in section.senders.values():
                    sender.add(wanted)

    async def quiet(self) -> None:
        """Return once no alert is under way."""
        senders = [sender for section in self._sections.values() for sender in section.senders.values()]
        await asyncio.gather(*(sender.quiet() for sender in senders))

    async def apply(self, configs: Sequence[AlertmanagerConfig], scheme: NameScheme = "utf8") -> None:
        """Send to these from now on. A section that did not change keeps its queues."""
        before, self._sections = self._sections, {}
        for position, config in enumerate(configs):
            key = _key(position)
            known = before.get(key)
            if known and (known.config, known.scheme) == (config, scheme):
                self._sections[key] = before.pop(key)
            else:
                rules = compile_rules(config.alert_relabel_configs, scheme)
                self._sections[key] = _Section(config, scheme, self._new_poster(config.http), rules)
        await asyncio.gather(*(_stop(section) for section in before.values()))
        await self._discovery.apply(self._discoveries())
        await self._sync(self._sections)

    async def stop(self) -> None:
        """Deliver what waits, and stop."""
        await self._discovery.stop()
        await asyncio.gather(*(_stop(section) for section in self._sections.values()))
        self._sections = {}

    def _discoveries(self) -> Mapping[str, Sequence[DiscoveryConfig]]:
        return {key: section.config.discoveries for key, section in self._sections.items()}

    async def _sync(self, keys: Iterable[str]) -> None:
        for key in keys:
            section = self._sections.get(key)
            if section is None:  # a reload has taken it away since
                continue
            groups = (*static_groups(section.config), *self._discovery.groups(key))
            section.found = endpoints(section.config, groups, section.scheme)
            gone = section.senders.keys() - set(section.found.active)
            await asyncio.gather(*(section.senders.pop(url).stop() for url in gone))
            for url in section.found.active:
                if url not in section.senders:
                    section.senders[url] = self._new_sender(url, section)
        self._metrics.discovered.set(len(self.active))

    def _new_sender(self, url: str, section: _Section) -> Sender:
        return Sender(
            url,
            section.config.timeout_ms,
            section.poster,
            clock=self._clock,
            metrics=self._metrics,
            options=self._options,
        )


def _key(position: int) -> str:
    """The name of a section, as upstream's discovery has it."""
    return f"config-{position}"


async def _stop(section: _Section) -> None:
    await asyncio.gather(*(sender.stop() for sender in section.senders.values()))
    await section.poster.close()


def _relabelled(alerts: Sequence[Alert], rules: Sequence[Rule]) -> list[Alert]:
    if not rules:
        return list(alerts)
    kept = ((alert, relabel(dict(alert.labels), rules)) for alert in alerts)
    return [replace(alert, labels=labels_from(labels)) for alert, labels in kept if labels is not None]
