"""The sink at work: a task a receiver, and one for the dead-man's switch."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from collector.clock import Clock
from miniprom.notify.errors import DeliveryError
from miniprom.notify.payload import rfc3339
from miniprom.notify.post import HttpPoster, NewPoster
from miniprom.notify.sink.config import ReceiverConfig, SinkConfig, SwitchConfig
from miniprom.notify.sink.grouping import Grouping, Notification
from miniprom.notify.sink.messages import MESSAGES, log_lines
from miniprom.rules import Alert

_log: Final = logging.getLogger(__name__)

_TICK_MS: Final = 1_000


class Sink:
    """A `Notifier`. To be made and used in one event loop. What it has told is forgotten when it stops."""

    def __init__(
        self, config: SinkConfig, clock: Clock, external_url: str, *, new_poster: NewPoster = HttpPoster
    ) -> None:
        self.config = config
        self._clock = clock
        self._receivers = [
            _Receiver(receiver, config, clock, external_url, new_poster) for receiver in config.receivers
        ]
        switch = config.dead_mans_switch
        self._switch = _Switch(switch, clock, new_poster) if switch else None

    def send(self, alerts: Sequence[Alert]) -> None:
        """Hear of alerts."""
        if self._switch:
            alerts = self._switch.without_own(alerts)
        for receiver in self._receivers:
            receiver.grouping.take(alerts, self._clock.now_ms())

    async def stop(self) -> None:
        """Tell nobody any more."""
        watched = (*self._receivers, *((self._switch,) if self._switch else ()))
        await asyncio.gather(*(each.stop() for each in watched))


class _Receiver:
    """Tells one receiver. What it refuses is tried again; what is slow holds up no other."""

    def __init__(
        self, config: ReceiverConfig, sink: SinkConfig, clock: Clock, external_url: str, new_poster: NewPoster
    ) -> None:
        self.grouping = Grouping(sink, send_resolved=config.send_resolved)
        self._config = config
        self._clock = clock
        self._external_url = external_url
        self._poster = new_poster(config.http)
        self._task = asyncio.create_task(self._run(), name=f"tell {config.name or config.kind}")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._poster.close()

    async def _run(self) -> None:
        clock = self._clock
        while True:
            await clock.sleep_until(clock.now_ms() + _TICK_MS)
            for notification in self.grouping.due(clock.now_ms()):
                try:
                    await self._tell(notification)
                except DeliveryError as error:
                    who = self._config.name or self._config.kind
                    _log.error("Error telling of alerts", extra={"receiver": who, "err": str(error)})
                    self.grouping.failed(notification, clock.now_ms())
                else:
                    self.grouping.told(notification, clock.now_ms())

    async def _tell(self, notification: Notification) -> None:
        config = self._config
        if config.kind == "log":
            for text, fields in log_lines(notification):
                _log.warning(text, extra=fields)
            return
        for message in MESSAGES[config.kind](config, notification, self._external_url):
            await self._poster.post(message.url, message.body, config.timeout_ms)


class _Switch:
    """Says that all is well for as long as its alert is heard of; whoever listens notices the silence."""

    def __init__(self, config: SwitchConfig, clock: Clock, new_poster: NewPoster) -> None:
        self._config = config
        self._clock = clock
        self._poster = new_poster(config.http)
        self._alive_until_ms = 0
        self._task = asyncio.create_task(self._run(), name="dead-man's switch")

    def without_own(self, alerts: Sequence[Alert]) -> list[Alert]:
        """The alerts that are for receivers; the switch's own are for it alone."""
        own = ("alertname", self._config.alertname)
        self._alive_until_ms = max(
            (alert.ends_at_ms for alert in alerts if own in alert.labels), default=self._alive_until_ms
        )
        return [alert for alert in alerts if own not in alert.labels]

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._poster.close()

    async def _run(self) -> None:
        clock, config = self._clock, self._config
        while True:
            await clock.sleep_until(clock.now_ms() + config.interval_ms)
            now_ms = clock.now_ms()
            if now_ms < self._alive_until_ms:
                message = {"status": "alive", "alertname": config.alertname, "time": rfc3339(now_ms)}
                try:
                    await self._poster.post(config.url, message, config.timeout_ms)
                except DeliveryError as error:
                    _log.error("Error telling that all is well", extra={"err": str(error)})
