"""What tests of scraping share: jobs, a target without a network, and the store read back."""

from collections.abc import Mapping, Sequence
from typing import Any

from collector.clock import Clock
from collector.config import GlobalConfig, ScrapeConfig
from collector.discovery_config import StaticConfig
from collector.fetch import Request, Response
from collector.http_config import HttpClientConfig
from collector.target import Target, TargetGroup, resolve
from tsdb import METRIC_NAME, Matcher, MatchOp, Store, is_absent, is_stale

TEXT_TYPE = "text/plain; version=0.0.4"
STALE = "stale"
Point = tuple[int, float | str]


def job(name: str = "job", addresses: Sequence[str] = ("host:80",), **settings: Any) -> ScrapeConfig:
    """A job of static targets, scraped each 10 s, with its defaults filled in."""
    settings = {"scrape_interval_ms": 10_000, "scrape_timeout_ms": 5_000, **settings}
    static = (StaticConfig(targets=tuple(addresses)),)
    return ScrapeConfig(job_name=name, static_configs=static, **settings).with_defaults(GlobalConfig())


def targets_of(config: ScrapeConfig) -> tuple[Target, ...]:
    groups = [TargetGroup.of_addresses(group.targets, group.labels, "0") for group in config.static_configs]
    return resolve(config, groups).active


class FakeTargets:
    """Answers fetches by URL: a body, or an error to raise; what was asked is in `requests`.

    With a clock, an answer can be slow: `delays_ms[url]` pass first.
    """

    def __init__(self, bodies: Mapping[str, str | Exception], clock: Clock | None = None) -> None:
        self.bodies = dict(bodies)
        self.delays_ms: dict[str, int] = {}
        self.requests: list[Request] = []
        self.closed = 0
        self._clock = clock

    def __call__(self, _config: HttpClientConfig) -> "FakeTargets":
        return self

    async def fetch(self, request: Request) -> Response:
        self.requests.append(request)
        if self._clock:
            await self._clock.sleep_until(self._clock.now_ms() + self.delays_ms.get(request.url, 0))
        body = self.bodies[request.url]
        if isinstance(body, Exception):
            raise body
        return Response(TEXT_TYPE, body.encode())

    async def close(self) -> None:
        self.closed += 1


def stored(store: Store, name: str, **labels: str) -> dict[str, list[Point]]:
    """The samples of a metric's series that carry the labels, by the labels that are left."""
    end_ms = 1 << 60
    matchers = [Matcher(key, MatchOp.EQUAL, value) for key, value in {METRIC_NAME: name, **labels}.items()]
    selection = store.snapshot(0).select(matchers, 0, end_ms)
    series: dict[str, list[Point]] = {}
    label_sets = selection.labels.series()
    for slab in selection.slabs:
        values = slab.read(slice(None))
        absent, stale = is_absent(values), is_stale(values)
        for column, position in enumerate(slab.series.tolist()):
            left = {k: v for k, v in label_sets[position] if k not in (METRIC_NAME, *labels)}
            key = ",".join(f"{k}={v}" for k, v in left.items())
            series[key] = [
                (int(time_ms), STALE if stale[row, column] else float(values[row, column]))
                for row, time_ms in enumerate(slab.timestamps_ms)
                if not absent[row, column]
            ]
    return series


def values_of(points: Sequence[Point]) -> list[float | str]:
    return [value for _, value in points]
