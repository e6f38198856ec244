"""All that alerts are delivered to: the Alertmanagers of the configuration, and the sink."""

from collections.abc import Sequence

from collector.clock import Clock
from miniprom.notify.alertmanagers import Alertmanagers
from miniprom.notify.sink import Sink, SinkConfig
from miniprom.rules import Alert


class Delivery:
    """The server's `Notifier`."""

    def __init__(self, alertmanagers: Alertmanagers, clock: Clock) -> None:
        self._alertmanagers = alertmanagers
        self._clock = clock
        self._sink: Sink | None = None

    def send(self, alerts: Sequence[Alert]) -> None:
        self._alertmanagers.send(alerts)
        if self._sink:
            self._sink.send(alerts)

    async def use_sink(self, config: SinkConfig | None, external_url: str) -> None:
        """Deliver to this sink from now on; one with the same configuration goes on undisturbed."""
        before = self._sink
        if before and before.config == config:
            return
        self._sink = Sink(config, self._clock, external_url) if config else None
        if before:
            await before.stop()

    async def stop(self) -> None:
        """Deliver what waits for Alertmanagers, and stop."""
        if self._sink:
            await self._sink.stop()
        await self._alertmanagers.stop()
