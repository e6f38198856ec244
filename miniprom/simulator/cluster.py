"""The simulated cluster: Flux objects that are reconciled as time passes. No I/O, no clock, one seed."""

import heapq
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from miniprom.simulator.catalog import (
    CONTROLLER_RUNTIME_BUCKETS,
    CONTROLLERS,
    GOTK_RECONCILE_BUCKETS,
    REST_LATENCY_BUCKETS,
    WORKQUEUE_BUCKETS,
    Controller,
    Kind,
)
from miniprom.simulator.stories import EVERYDAY_STORIES, Outcome, Story


class Histogram:
    """Classic histogram: `counts[i]` observations at or below `bounds[i]` and above the bound before."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


@dataclass
class FluxObject:
    """One custom resource, and what its controller knows of it."""

    kind: Kind
    name: str
    namespace: str
    interval_seconds: float
    ready: bool = True
    suspended: bool = False
    revision: int = 1
    durations: Histogram = field(default_factory=lambda: Histogram(GOTK_RECONCILE_BUCKETS))


@dataclass
class Reconciler:
    """The counters that controller-runtime keeps for one kind."""

    kind: Kind
    results: Counter[str] = field(default_factory=Counter)
    durations: Histogram = field(default_factory=lambda: Histogram(CONTROLLER_RUNTIME_BUCKETS))
    queue_durations: Histogram = field(default_factory=lambda: Histogram(WORKQUEUE_BUCKETS))
    work_durations: Histogram = field(default_factory=lambda: Histogram(WORKQUEUE_BUCKETS))
    longest_running_seconds: float = 0.0


@dataclass
class Pod:
    """One controller's process: its reconcilers, and what Go and client-go count."""

    controller: Controller
    name: str
    reconcilers: dict[str, Reconciler]
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    request_latencies: Histogram = field(default_factory=lambda: Histogram(REST_LATENCY_BUCKETS))
    cpu_seconds: float = 0.1
    allocated_bytes: float = 40e6


class Cluster:
    """A Flux cluster with `objects` custom resources spread over the kinds.

    `advance` carries out every reconciliation that falls due, in order; equal seeds and equal
    sequences of times give equal metrics.
    """

    def __init__(
        self, start_ms: int, *, objects: int = 52, seed: int = 1, stories: Sequence[Story] = EVERYDAY_STORIES
    ) -> None:
        self.start_ms = start_ms
        self.now_ms = start_ms
        self.pods = {controller.name: _pod(controller) for controller in CONTROLLERS}
        self.objects: list[FluxObject] = []
        self._stories = tuple(stories)
        self._random = random.Random(seed)
        self._due: list[tuple[int, int]] = []
        kinds = [kind for controller in CONTROLLERS for kind in controller.kinds]
        for number in range(objects):
            self._create(kinds[number % len(kinds)], number // len(kinds))

    def advance(self, now_ms: int) -> None:
        """Let time pass until `now_ms`; going back is ignored."""
        while self._due and self._due[0][0] <= now_ms:
            due_ms, number = heapq.heappop(self._due)
            self._reconcile(self.objects[number], due_ms)
            interval_ms = int(self.objects[number].interval_seconds * 1000)
            heapq.heappush(self._due, (due_ms + interval_ms, number))
        self.now_ms = max(self.now_ms, now_ms)

    def _create(self, kind: Kind, number: int) -> None:
        namespace = "flux-system" if number == 0 else f"apps-{number % 5}"
        interval_seconds = self._random.choice((30.0, 60.0, 60.0, 120.0))
        self.objects.append(FluxObject(kind, f"{kind.controller}-{number}", namespace, interval_seconds))
        first_ms = self.start_ms + int(self._random.uniform(0, 10) * 1000)
        heapq.heappush(self._due, (first_ms, len(self.objects) - 1))

    def _story_of(self, item: FluxObject, now_ms: int) -> Story:
        elapsed_seconds = (now_ms - self.start_ms) / 1000
        told = (
            story for story in self._stories if story.tells_of(item.kind.name, item.name, elapsed_seconds)
        )
        return next(told, Story(item.kind.name, item.name))

    def _reconcile(self, item: FluxObject, now_ms: int) -> None:
        story = self._story_of(item, now_ms)
        item.suspended = story.suspended
        if story.suspended:
            return
        item.ready = story.outcome is Outcome.SUCCESS
        if self._random.random() < 0.05:
            item.revision += 1
        duration_seconds = self._random.lognormvariate(-1.0, 0.8) * story.slowdown
        item.durations.observe(duration_seconds)
        pod = next(pod for pod in self.pods.values() if item.kind in pod.controller.kinds)
        self._count(pod, pod.reconcilers[item.kind.name], story.outcome, duration_seconds)

    def _count(self, pod: Pod, reconciler: Reconciler, outcome: Outcome, duration_seconds: float) -> None:
        reconciler.results[outcome.value] += 1
        reconciler.durations.observe(duration_seconds)
        reconciler.work_durations.observe(duration_seconds)
        reconciler.queue_durations.observe(self._random.expovariate(1000.0))
        reconciler.longest_running_seconds = duration_seconds
        for method, code in (("GET", "200"), ("PATCH", "200"), ("PUT", "409")):
            if code == "200" or self._random.random() < 0.1:
                pod.requests[method, code] += 1
                pod.request_latencies.observe(self._random.lognormvariate(-4.5, 0.7))
        pod.cpu_seconds += duration_seconds * 0.05
        pod.allocated_bytes += self._random.uniform(1e6, 3e6)


def _pod(controller: Controller) -> Pod:
    suffix = f"{sum(controller.name.encode()):x}"
    reconcilers = {kind.name: Reconciler(kind) for kind in controller.kinds}
    return Pod(controller, f"{controller.name}-7d9c5b4f4-{suffix}", reconcilers)
