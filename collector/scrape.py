"""One target's life: wait for the next tick, fetch, store, again. Upstream: scrapeLoop."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from collector.clock import Clock
from collector.config import EscapingScheme, ScrapeConfig, ScrapeProtocol
from collector.errors import (
    BodySizeError,
    BucketLimitError,
    CollectorError,
    LabelLimitError,
    SampleLimitError,
    ScrapeError,
)
from collector.exposition import Metadata
from collector.failure_log import FailureLog
from collector.fetch import Fetcher, Request
from collector.intake import NOTHING_REFUSED, Batch, Intake, Refused
from collector.metrics import ScrapeMetrics
from collector.schedule import first_due_ms, next_due_ms, phase_ms, sample_time_ms
from collector.target import Target
from collector.units import format_duration_ms
from tsdb import Store

_log: Final = logging.getLogger(__name__)

_MEDIA_TYPES: Final[Mapping[ScrapeProtocol, str]] = {
    "PrometheusProto": (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    ),
    "OpenMetricsText1.0.0": "application/openmetrics-text;version=1.0.0",
    "OpenMetricsText0.0.1": "application/openmetrics-text;version=0.0.1",
    "PrometheusText1.0.0": "text/plain;version=1.0.0",
    "PrometheusText0.0.4": "text/plain;version=0.0.4",
}
_WITH_ESCAPING: Final = ("OpenMetricsText1.0.0", "PrometheusText1.0.0")
_HIGHEST_WEIGHT: Final = 6


class Health(StrEnum):
    """What the latest scrape says of a target."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class Status(NamedTuple):
    """The latest scrape; `started_ms` is 0 before the first."""

    health: Health = Health.UNKNOWN
    error: str = ""
    started_ms: int = 0
    duration_seconds: float = 0.0


class ScrapeLoop:
    """Scrapes one target until it is stopped. With a `forced_error` they fail without asking the target."""

    def __init__(
        self,
        target: Target,
        job: ScrapeConfig,
        *,
        store: Store,
        clock: Clock,
        fetcher: Fetcher,
        metrics: ScrapeMetrics,
        failure_log: FailureLog,
        offset_seed: int,
        user_agent: str,
    ) -> None:
        self.target = target
        self.status = Status()
        self.forced_error: ScrapeError | None = None
        self._clock = clock
        self._fetcher = fetcher
        self._metrics = metrics
        self._failure_log = failure_log
        self._job = job
        self._intake = Intake(store, job, target)
        self._interval = format_duration_ms(target.interval_ms)
        self._phase = phase_ms(target.identity, offset_seed, target.interval_ms)
        self._request = Request(
            target.url,
            request_headers(job, target.timeout_ms, user_agent),
            target.timeout_ms,
            job.body_size_limit_bytes,
        )
        self._due_ms = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def metadata(self) -> Mapping[str, Metadata]:
        """What the target says of its metric families."""
        return self._intake.metadata

    def start(self) -> None:
        """Begin to scrape; the first scrape is up to an interval away."""
        self._task = asyncio.create_task(self._run(), name=f"scrape {self.target.url}")

    async def stop(self) -> None:
        """End at once; a scrape in flight is given up."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def end_series(self) -> None:
        """Mark the series of a stopped loop stale, as of the tick it would have served next.

        That happens two ticks later still, so that a target that comes back meanwhile is not interrupted: its
        samples are newer than the markers, which are then refused. Upstream: endOfRunStaleness.
        """
        if not self.status.started_ms:
            return
        interval_ms = self.target.interval_ms
        now_ms = self._clock.now_ms()
        in_flight = self._due_ms <= now_ms
        stale_ms = next_due_ms(self._due_ms, interval_ms, now_ms) if in_flight else self._due_ms
        await self._clock.sleep_until(stale_ms + interval_ms + interval_ms // 10)
        self._intake.end(stale_ms)

    def end_series_now(self) -> None:
        """Mark the series of a stopped loop stale at once: no other target goes on with them."""
        if self.status.started_ms:
            self._intake.end(max(self._clock.now_ms(), self.status.started_ms + 1))

    async def _run(self) -> None:
        interval_ms = self.target.interval_ms
        self._due_ms = first_due_ms(self._clock.now_ms(), interval_ms, self._phase)
        while True:
            now_ms = await self._clock.sleep_until(self._due_ms)
            try:
                await self._scrape(sample_time_ms(self._due_ms, interval_ms, now_ms), now_ms)
            except Exception:  # a fault of ours at one scrape must not be the end of them all
                _log.exception("Storing a scrape failed", extra={"target": self.target.url})
            self._due_ms = next_due_ms(self._due_ms, interval_ms, self._clock.now_ms())

    async def _scrape(self, timestamp_ms: int, now_ms: int) -> None:
        if self.status.started_ms:
            length_seconds = (now_ms - self.status.started_ms) / 1000
            self._metrics.interval_length.observe(self._interval, length_seconds)
        start = time.perf_counter()
        batch = await self._fetch_batch()
        duration_seconds = time.perf_counter() - start
        refused = self._intake.commit(batch, timestamp_ms, duration_seconds)
        self.status = Status(
            health=Health.DOWN if batch.error else Health.UP,
            error=str(batch.error or _shortage(batch)),
            started_ms=now_ms,
            duration_seconds=duration_seconds,
        )
        if batch.error:
            _log.debug("Scrape failed", extra={"target": self.target.url, "err": str(batch.error)})
            self._count_failure(batch.error)
        if batch.series_refused:
            self._metrics.no_room.inc(batch.series_refused)
        if refused is not NOTHING_REFUSED:
            self._count_refused(refused)

    def _count_refused(self, refused: Refused) -> None:
        for counter, count, what in (
            (self._metrics.out_of_order, refused.out_of_order, "out-of-order samples"),
            (self._metrics.duplicate, refused.duplicate, "samples with different value but same timestamp"),
            (
                self._metrics.out_of_bounds,
                refused.out_of_bounds,
                "samples too old or too far into the future",
            ),
        ):
            if count:
                counter.inc(count)
                _log.warning(
                    "Error on ingesting %s", what, extra={"target": self.target.url, "num_dropped": count}
                )

    async def _fetch_batch(self) -> Batch:
        if self.forced_error:
            return Batch(error=self.forced_error)
        try:
            response = await self._fetcher.fetch(self._request)
            return self._intake.read(response.body, response.content_type)
        except CollectorError as error:
            self._failure_log.write(
                self._job.scrape_failure_log_file,
                str(error),
                self._clock.now_ms(),
                job_name=self._job.job_name,
                target=self.target.url,
            )
            return Batch(error=error, body_bytes=-1 if isinstance(error, BodySizeError) else 0)
        except Exception as error:  # whatever else goes wrong fails this scrape, and must not end the loop
            _log.exception("Unexpected error while scraping", extra={"target": self.target.url})
            return Batch(error=ScrapeError(f"{type(error).__name__}: {error}"))

    def _count_failure(self, error: CollectorError) -> None:
        for kind, counter in (
            (BodySizeError, self._metrics.exceeded_body_size_limit),
            (SampleLimitError, self._metrics.exceeded_sample_limit),
            (BucketLimitError, self._metrics.exceeded_bucket_limit),
            (LabelLimitError, self._metrics.exceeded_label_limits),
        ):
            if isinstance(error, kind):
                counter.inc()


def _shortage(batch: Batch) -> str:
    if not batch.series_refused:
        return ""
    return f"memory limit reached: {batch.series_refused} new series were not stored, the others were"


def request_headers(job: ScrapeConfig, timeout_ms: int, user_agent: str) -> dict[str, str]:
    """The headers of each scrape of a job. Requires: a job with its defaults filled in."""
    return {
        "Accept": accept_header(job.scrape_protocols or (), job.metric_name_escaping_scheme),
        "Accept-Encoding": "gzip" if job.enable_compression else "identity",
        "User-Agent": user_agent,
        "X-Prometheus-Scrape-Timeout-Seconds": str(timeout_ms / 1000).removesuffix(".0"),
    }


def accept_header(protocols: Sequence[ScrapeProtocol], escaping: EscapingScheme) -> str:
    """The formats by preference; the weights are those of upstream's acceptHeader."""
    parts = [
        _MEDIA_TYPES[protocol] + (f";escaping={escaping}" if protocol in _WITH_ESCAPING else "")
        for protocol in protocols
    ]
    return ",".join(f"{part};q=0.{_HIGHEST_WEIGHT - n}" for n, part in enumerate([*parts, "*/*"]))
