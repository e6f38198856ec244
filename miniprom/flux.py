"""The state of Flux's objects, written into the store as if it were scraped: `--flux.state`."""

import asyncio
import os

from collector.clock import Clock, sleep_apart
from collector.discovery.courier import say_if_failed, stop_tasks
from collector.discovery.kubernetes.access import Surroundings, kubeconfig_access
from collector.discovery.metrics import KubernetesMetrics
from collector.errors import DiscoveryError
from collector.flux import FluxState, FluxWatch, StateWriter
from miniprom.settings import BadFlagError, Settings
from tsdb import Store


class FluxRecorder:
    """Watches while it runs, and writes all series each `interval_ms`, at multiples of it."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, metrics: KubernetesMetrics, interval_ms: int
    ) -> None:
        """Raises `BadFlagError` where there is no access to an API server."""
        try:
            kubeconfig = settings.kubeconfig
            access = kubeconfig_access(kubeconfig) if kubeconfig else Surroundings(os.environ).access()
        except DiscoveryError as error:
            raise BadFlagError(f"--flux.state: {error}; see --kubernetes.kubeconfig") from error
        self.interval_ms = interval_ms
        self._state = FluxState(with_old_metrics=settings.flux_old_metrics)
        self._watch = FluxWatch(self._state, access, clock, metrics)
        self._writer = StateWriter(store)
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to watch and to write."""
        self._tasks = [
            asyncio.create_task(self._watch.run(), name="watch Flux"),
            asyncio.create_task(self._write_forever(), name="write the state of Flux"),
        ]
        for task in self._tasks:
            task.add_done_callback(say_if_failed)

    async def stop(self) -> None:
        """End. No stale markers are written: the objects have not ended, the program has."""
        await stop_tasks(self._tasks)

    async def _write_forever(self) -> None:
        while True:
            now_ms = self._clock.now_ms()
            due_ms = now_ms - now_ms % self.interval_ms + self.interval_ms
            await sleep_apart(self._clock, due_ms)
            self._writer.write(*self._state.samples(due_ms), due_ms)
