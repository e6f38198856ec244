"""Targets of the fake: those that live in the test, and what faults do to any."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from collector.config import ScrapeConfig
from collector.errors import ScrapeError
from collector.fetch import Fetcher, HttpFetcher, Request, Response
from collector.http_config import HttpClientConfig
from collector.intake import Batch, Intake
from collector.target import Target
from miniprom.api.services import Services
from miniprom.fake.errors import FakeError
from miniprom.fake.faults import Fault, Faults
from miniprom.fake.fields import Fields
from tsdb import Labels, labels_from

SCRAPE_FIELDS: Final = ("body", "content_type", "error", "job", "instance", "labels")

_TEXT: Final = "text/plain; version=0.0.4"
_OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0"
_GARBAGE: Final = Response(_TEXT, b"<html><body>502 Bad Gateway</body></html>\n")
_TYPE_LINE: Final = re.compile(r"# TYPE (\S+) (?:counter|histogram|summary)")
_SAMPLE_LINE: Final = re.compile(r"(?P<series>(?P<name>[^\s{]+)(?:\{.*\})?)\s+(?P<value>\S+)(?P<rest>.*)")
_COUNTING: Final = ("", "_total", "_count", "_sum", "_bucket")


@dataclass
class TargetFaults:
    """Carries out the faults of targets."""

    faults: Faults
    _counted: dict[tuple[int, str], dict[str, float]] = field(default_factory=dict)
    """What each target's counters had at the moment of a reset, by fault."""

    def fail(self, met: list[Fault], url: str) -> None:
        """Raises `ScrapeError` where a target can't be scraped."""
        for fault in met:
            if fault.kind == "target_down":
                address = urlsplit(url).netloc
                raise ScrapeError(f'Get "{url}": dial tcp {address}: connect: connection refused')
            if fault.kind == "target_slow":
                raise ScrapeError(f'Get "{url}": context deadline exceeded')

    def changed(self, met: list[Fault], url: str, response: Response) -> Response:
        """What a target answers instead. Counters that were reset once go on from there."""
        for fault in met:
            if fault.kind == "target_garbage":
                return _GARBAGE
            if fault.kind == "target_counter_reset" and (fault.id, url) not in self._counted:
                self._counted[fault.id, url] = _counters(response)
        for (_, where), counted in self._counted.items():
            if where == url:
                response = _less(response, counted)
        return response


class FaultyFetcher:
    """Fetches over HTTP for the jobs with one HTTP configuration, as faults let it."""

    def __init__(
        self, config: HttpClientConfig, faults: TargetFaults, services: Callable[[], Services]
    ) -> None:
        self._fetcher: Fetcher = HttpFetcher(config)
        self._faults = faults
        self._services = services

    async def fetch(self, request: Request) -> Response:
        met: list[Fault] = []
        if len(self._faults.faults):
            active = self._services().scrape.active()
            labels = next((target.labels for target in active if target.url == request.url), ())
            met = self._faults.faults.of_target(dict(labels))
        self._faults.fail(met, request.url)
        return self._faults.changed(met, request.url, await self._fetcher.fetch(request))

    async def close(self) -> None:
        await self._fetcher.close()


class HandedTargets:
    """Targets whose pages the test hands over; each is remembered by its labels, for staleness."""

    def __init__(self, faults: TargetFaults) -> None:
        self._faults = faults
        self._intakes: dict[Labels, Intake] = {}
        self._scraped_ms: dict[Labels, int] = {}

    def scrape(self, fields: Fields, services: Services) -> dict[str, Any]:
        """One scrape, now. Raises `FakeError`."""
        if ("body" in fields) == ("error" in fields):
            raise FakeError('scrape: expected one of "body" and "error"')
        now_ms = services.clock.now_ms()
        labels = self._labels(fields)
        if self._scraped_ms.get(labels) == now_ms:
            raise FakeError("scrape: this target was scraped at this time already; advance the clock first")
        intake = self._intakes.get(labels) or self._new_intake(fields.text("job", "test"), labels, services)
        batch = self._batch(fields, intake, dict(labels))
        intake.commit(batch, now_ms, 0.0)
        self._intakes[labels], self._scraped_ms[labels] = intake, now_ms
        error = None if batch.error is None else str(batch.error)
        return {"up": int(batch.error is None), "samples": batch.scraped, "error": error}

    def _labels(self, fields: Fields) -> Labels:
        own = {"job": fields.text("job", "test"), "instance": fields.text("instance", "test")}
        return labels_from(
            {name: value for name, value in {**fields.text_by_name("labels"), **own}.items() if value}
        )

    def _batch(self, fields: Fields, intake: Intake, labels: Mapping[str, str]) -> Batch:
        if "error" in fields:
            return Batch(error=ScrapeError(fields.text("error")))
        body = fields.text("body").encode(errors="surrogatepass")
        default = _OPENMETRICS if body.rstrip().endswith(b"# EOF") else _TEXT
        url = f"http://{labels['instance']}/metrics"
        met = self._faults.faults.of_target(labels)
        try:
            self._faults.fail(met, url)
        except ScrapeError as error:
            return Batch(error=error)
        response = self._faults.changed(met, url, Response(fields.text("content_type", default), body))
        return intake.read(response.body, response.content_type)

    def _new_intake(self, job_name: str, labels: Labels, services: Services) -> Intake:
        config = services.config
        jobs = {job.job_name: job for job in config.scrape_configs}
        job = jobs.get(job_name) or ScrapeConfig(job_name=job_name).with_defaults(config.global_)
        url = f"http://{dict(labels)['instance']}/metrics"
        target = Target(labels, labels, url, job.scrape_interval_ms, job.scrape_timeout_ms, hash(labels))
        return Intake(services.store, job, target)


def _counters(response: Response) -> dict[str, float]:
    """The values of all counters, by series as the page spells them."""
    return {match["series"]: float(match["value"]) for match in _counter_lines(response)}


def _counter_lines(response: Response) -> Iterator[re.Match[str]]:
    families: set[str] = set()
    for line in response.body.decode(errors="replace").splitlines():
        if kind := _TYPE_LINE.match(line):
            families.add(kind[1])
        elif (sample := _SAMPLE_LINE.fullmatch(line)) and _is_counter(sample["name"], families):
            try:
                float(sample["value"])
            except ValueError:
                continue
            yield sample


def _is_counter(name: str, families: set[str]) -> bool:
    return any(name.endswith(suffix) and name.removesuffix(suffix) in families for suffix in _COUNTING)


def _less(response: Response, counted: Mapping[str, float]) -> Response:
    """The page with so much less in its counters."""
    lines = response.body.decode(errors="surrogateescape").splitlines(keepends=True)
    for number, line in enumerate(lines):
        sample = _SAMPLE_LINE.fullmatch(line.rstrip("\r\n"))
        if sample and sample["series"] in counted:
            try:
                value = float(sample["value"]) - counted[sample["series"]]
            except ValueError:
                continue
            lines[number] = f"{sample['series']} {value!r}{sample['rest']}\n"
    return Response(response.content_type, "".join(lines).encode(errors="surrogateescape"))
