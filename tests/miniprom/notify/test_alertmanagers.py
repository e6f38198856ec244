"""Delivery to Alertmanagers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from collector.clock import VirtualClock
from collector.discovery_config import FileDiscoveryConfig, StaticConfig
from collector.relabel import RelabelConfig
from collector.target import TargetGroup
from miniprom.config.sections import AlertmanagerConfig
from miniprom.notify.alertmanagers import Alertmanagers
from miniprom.notify.endpoints import endpoints
from miniprom.notify.errors import DeliveryError
from miniprom.notify.payload import alertmanager_payload
from miniprom.notify.queue import AlertQueue
from miniprom.notify.sender import SendOptions
from tests.miniprom.notify.support import RecordingPoster, alert, settle

URL = "http://am:9093/api/v2/alerts"
AWAY = DeliveryError("connection refused", is_temporary=True)
REFUSED = DeliveryError("bad response status 400", is_temporary=False)


def section(*addresses: str, **settings: object) -> AlertmanagerConfig:
    static = StaticConfig(targets=addresses or ("am:9093",))
    return AlertmanagerConfig(static_configs=(static,), **settings)  # type: ignore[arg-type]  # a test's choice


class Stage:
    """Alertmanagers on a virtual clock, and what they got."""

    def __init__(self, options: SendOptions | None = None) -> None:
        self.clock = VirtualClock()
        self.poster = RecordingPoster()
        self.registry = CollectorRegistry()
        self.alertmanagers = Alertmanagers(
            self.clock,
            self.registry,
            options=options or SendOptions(capacity=100),
            new_poster=lambda _: self.poster,
        )

    def count(self, name: str, url: str = URL) -> float | None:
        return self.registry.get_sample_value(f"prometheus_notifications_{name}", {"alertmanager": url})

    def run(self, story: Callable[[], Awaitable[None]], *sections: AlertmanagerConfig) -> None:
        async def play() -> None:
            await self.alertmanagers.apply(sections or (section(),))
            await story()
            await self.alertmanagers.stop()

        asyncio.run(play())


def test_alert_is_posted_as_api_v2_has_it() -> None:
    (posted,) = alertmanager_payload([alert("A", starts_at_ms=1_435_781_451_781, summary="it burns")])
    assert posted == {
        "labels": {"alertname": "A"},
        "annotations": {"summary": "it burns"},
        "startsAt": "2015-07-01T20:10:51.781Z",
        "endsAt": "1970-01-01T00:04:00.000Z",
        "generatorURL": "http://prometheus/graph?g0.expr=up&g0.tab=1",
    }


def test_alerts_go_to_every_alertmanager() -> None:
    stage = Stage()

    async def story() -> None:
        stage.alertmanagers.send([alert("A")])
        await settle()
        assert sorted(url for url, _ in stage.poster.posted) == [
            "http://a:1/api/v2/alerts",
            "http://b:2/api/v2/alerts",
        ]
        assert stage.count("sent_total", "http://a:1/api/v2/alerts") == 1

    stage.run(story, section("a:1"), section("b:2"))


@pytest.mark.parametrize(
    ("options", "sizes"), [(SendOptions(), [256, 4]), (SendOptions(300, 130), [130, 130])]
)
def test_batches_hold_256_alerts_or_as_many_as_are_wanted(options: SendOptions, sizes: list[int]) -> None:
    stage = Stage(options)

    async def story() -> None:
        stage.alertmanagers.send([alert(f"A{number}") for number in range(260)])
        await settle()
        assert [len(names) for names in stage.poster.names()] == sizes

    stage.run(story)


def test_what_an_absent_alertmanager_missed_is_sent_when_it_is_back() -> None:
    stage = Stage()

    async def story() -> None:
        stage.poster.failure = AWAY
        stage.alertmanagers.send([alert("A"), alert("B")])
        await settle()
        assert stage.count("queue_length") == 2
        stage.poster.failure = None
        await stage.clock.advance(999)
        assert stage.poster.posted == []
        await stage.clock.advance(1)
        await settle()
        assert stage.poster.names() == [["A", "B"]]
        assert (stage.count("errors_total"), stage.count("dropped_total")) == (2, 0)
        assert stage.count("queue_length") == 0

    stage.run(story)


def test_tries_become_rarer_up_to_half_a_minute() -> None:
    stage = Stage()

    async def story() -> None:
        stage.poster.failure = AWAY
        stage.alertmanagers.send([alert("A")])
        await settle()
        for _ in range(91):
            await stage.clock.advance(1000)
            await settle()
        # At 0, 1, 3, 7, 15, 31, 61 and 91 s.
        assert stage.poster.attempts == 8

    stage.run(story)


def test_refused_alerts_are_dropped_and_counted() -> None:
    stage = Stage()

    async def story() -> None:
        stage.poster.failure = REFUSED
        stage.alertmanagers.send([alert("A")])
        await settle()
        assert (stage.count("dropped_total"), stage.count("errors_total")) == (1, 1)
        assert stage.count("queue_length") == 0

    stage.run(story)


def test_queue_holds_the_newest_message_about_an_alert() -> None:
    queue = AlertQueue(10)
    queue.add([alert("A", ends_at_ms=1), alert("B")])
    queue.add([alert("A", ends_at_ms=2)])
    assert queue.take(10) == [alert("A", ends_at_ms=2), alert("B")]


def test_what_is_put_back_gives_way_to_news() -> None:
    queue = AlertQueue(10)
    queue.add([alert("B", ends_at_ms=9), alert("C")])
    queue.put_back([alert("A"), alert("B", ends_at_ms=1)])
    assert queue.take(10) == [alert("A"), alert("B", ends_at_ms=9), alert("C")]


def test_full_queue_drops_the_oldest() -> None:
    queue = AlertQueue(2)
    assert queue.add([alert("A"), alert("B"), alert("C")]) == 1
    assert queue.take(10) == [alert("B"), alert("C")]


@pytest.mark.parametrize("drains", [True, False])
def test_what_waits_is_sent_before_stopping_if_that_is_wanted(drains: bool) -> None:
    stage = Stage(SendOptions(drains=drains))

    async def story() -> None:
        stage.poster.failure = AWAY
        stage.alertmanagers.send([alert("A")])
        await settle()
        stage.poster.failure = None

    stage.run(story)
    assert stage.poster.names() == ([["A"]] if drains else [])


def test_alert_relabelling_of_a_section_holds_for_it_alone() -> None:
    stage = Stage()
    drop = RelabelConfig(source_labels=("alertname",), regex="A", action="drop")

    async def story() -> None:
        stage.alertmanagers.send([alert("A"), alert("B")])
        await settle()
        got = {url: [each["labels"]["alertname"] for each in message] for url, message in stage.poster.posted}
        assert got == {"http://a:1/api/v2/alerts": ["B"], "http://b:2/api/v2/alerts": ["A", "B"]}

    stage.run(story, section("a:1", alert_relabel_configs=(drop,)), section("b:2"))


def test_unchanged_section_keeps_its_queue_over_a_reload() -> None:
    stage = Stage()

    async def story() -> None:
        stage.poster.failure = AWAY
        stage.alertmanagers.send([alert("A")])
        await settle()
        await stage.alertmanagers.apply((section(), section("b:2")))
        assert stage.count("queue_length") == 1
        assert stage.alertmanagers.active == [URL, "http://b:2/api/v2/alerts"]
        stage.poster.failure = None

    stage.run(story)
    assert stage.poster.names() == [["A"]]


@pytest.mark.parametrize(
    ("prefix", "url"),
    [("", URL), ("/x/", "http://am:9093/x/api/v2/alerts"), ("x", "http://am:9093/x/api/v2/alerts")],
)
def test_path_prefix_is_joined_with_single_slashes(prefix: str, url: str) -> None:
    group = TargetGroup([{"__address__": "am:9093"}])
    assert endpoints(section(path_prefix=prefix), [group]).active == (url,)


def test_alertmanagers_in_a_file_are_found(tmp_path: Path) -> None:
    targets = tmp_path / "alertmanagers.json"
    targets.write_text('[{"targets": ["a:9093", "b:9093"]}]')
    stage = Stage()
    config = AlertmanagerConfig(file_sd_configs=(FileDiscoveryConfig(files=(str(targets),)),))

    async def story() -> None:
        while not stage.alertmanagers.active:
            await asyncio.sleep(0.01)
            await stage.clock.advance(1_000)
        assert stage.alertmanagers.active == ["http://a:9093/api/v2/alerts", "http://b:9093/api/v2/alerts"]

    stage.run(story, config)


def test_relabelling_drops_and_changes_alertmanagers() -> None:
    groups = [TargetGroup([{"__address__": "a:1"}, {"__address__": "b:2"}])]
    drop = RelabelConfig(source_labels=("__address__",), regex="a:.*", action="drop")
    https = RelabelConfig(target_label="__scheme__", replacement="https")
    found = endpoints(section(relabel_configs=(drop, https)), groups)
    assert found.active == ("https://b:2/api/v2/alerts",)
    assert found.dropped == ("http://a:1/api/v2/alerts",)
