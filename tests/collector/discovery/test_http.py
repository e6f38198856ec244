"""Target groups from an HTTP server."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client.registry import CollectorRegistry

from collector.clock import VirtualClock
from collector.discovery.http import http_discovery
from collector.discovery.metrics import RefreshMetrics
from collector.discovery_config import HttpDiscoveryConfig
from collector.errors import ScrapeError
from collector.fetch import Request, Response
from collector.target import TargetGroup

URL = "http://sd.example.org/targets"
JSON = "application/json"


class FakeServer:
    """Answers each request with the next of its answers."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.is_closed = False

    async def fetch(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.is_closed = True


def groups_after(
    server: FakeServer, registry: CollectorRegistry | None = None
) -> list[Sequence[TargetGroup]]:
    """What is known after each of the server's answers, a minute apart."""
    config = HttpDiscoveryConfig(url=URL, refresh_interval_ms=60_000)
    metrics = RefreshMetrics(registry or CollectorRegistry())

    async def story() -> list[Sequence[TargetGroup]]:
        clock = VirtualClock()
        discovery = http_discovery(config, server, clock, metrics, "job")
        task = asyncio.create_task(discovery.run(lambda: None))
        await clock.advance(1_000)
        known = [discovery.groups()]
        while server.answers:
            await clock.advance(60_000)
            known.append(discovery.groups())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return known

    return asyncio.run(story())


def test_groups_are_asked_for_with_upstreams_headers_and_carry_the_url() -> None:
    server = FakeServer(Response(JSON, b'[{"targets": ["a:1"], "labels": {"k": "v"}}]'))
    [[group]] = groups_after(server)
    assert group == TargetGroup([{"__address__": "a:1"}], {"k": "v", "__meta_url": URL}, f"{URL}:0")
    [request] = server.requests
    assert request.headers["Accept"] == JSON
    assert request.headers["X-Prometheus-Refresh-Interval-Seconds"] == "60"
    assert server.is_closed


def test_groups_stay_while_the_server_fails() -> None:
    registry = CollectorRegistry()
    good = Response(JSON, b'[{"targets": ["a:1"]}]')
    server = FakeServer(good, ScrapeError("server returned HTTP status 500"))
    server.answers += [Response(JSON, b"{"), Response("text/html", b"[]")]
    known = groups_after(server, registry)
    assert all(groups is known[0] for groups in known)
    labels = {"mechanism": "http", "config": "job"}
    assert registry.get_sample_value("prometheus_sd_refresh_failures_total", labels) == 3
    assert registry.get_sample_value("prometheus_sd_http_failures_total") == 3


def test_group_that_is_not_listed_any_more_is_gone_and_the_others_are_the_same_objects() -> None:
    two = Response(JSON, b'[{"targets": ["a:1"]}, {"targets": ["b:1"]}]')
    one = Response(JSON, b'[{"targets": ["a:1"]}]')
    before, after = groups_after(FakeServer(two, one))
    assert len(after) == 1
    assert after[0] is before[0]


@pytest.mark.parametrize("content_type", [JSON, "Application/JSON; charset=utf-8", f'{JSON};charset="utf-8"'])
def test_content_type_is_compared_without_case_and_charset(content_type: str) -> None:
    [groups] = groups_after(FakeServer(Response(content_type, b'[{"targets": ["a:1"]}]')))
    assert len(groups) == 1
