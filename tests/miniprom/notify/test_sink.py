"""The built-in sink."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from collector.clock import VirtualClock
from miniprom.config import ConfigFileError
from miniprom.notify.errors import DeliveryError
from miniprom.notify.sink import Sink, SinkConfig, load_sink_config
from miniprom.notify.sink.config import ReceiverConfig, SilenceConfig, SwitchConfig
from miniprom.notify.sink.messages import fingerprint
from miniprom.rules import Alert
from tests.miniprom.notify.support import RecordingPoster, alert

HOUR_MS = 3_600_000
LATER_MS = 100 * HOUR_MS
WEBHOOK = ReceiverConfig(kind="webhook", url="http://hook/")


def firing(name: str, **labels: str) -> Alert:
    return alert(name, labels=labels, ends_at_ms=LATER_MS, summary=f"{name} is wrong")


def resolved(name: str, ends_at_ms: int, **labels: str) -> Alert:
    return alert(name, labels=labels, ends_at_ms=ends_at_ms, summary=f"{name} is wrong")


class Stage:
    """A sink on a virtual clock, and what it has posted."""

    def __init__(self, *receivers: ReceiverConfig, **settings: Any) -> None:
        self.clock = VirtualClock()
        self.poster = RecordingPoster()
        self._config = SinkConfig(receivers=receivers or (WEBHOOK,), **settings)
        self.sink: Sink

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        async def play() -> None:
            self.sink = Sink(self._config, self.clock, "http://prometheus", new_poster=lambda _: self.poster)
            await story()
            await self.sink.stop()

        asyncio.run(play())

    def messages(self) -> list[Any]:
        """What was posted since the last look."""
        found = [message for _, message in self.poster.posted]
        self.poster.posted.clear()
        return found


def names(message: Any) -> list[tuple[str, str]]:
    return [(each["labels"]["alertname"], each["status"]) for each in message["alerts"]]


def test_alerts_of_a_group_are_told_together_after_group_wait() -> None:
    stage = Stage(group_by=("team",))

    async def story() -> None:
        stage.sink.send([firing("A", team="x")])
        await stage.clock.advance(20_000)
        stage.sink.send([firing("B", team="x"), firing("C", team="y")])
        await stage.clock.advance(9_000)
        assert stage.messages() == []
        await stage.clock.advance(1_000)
        (message,) = stage.messages()
        assert names(message) == [("A", "firing"), ("B", "firing")]
        assert (message["groupLabels"], message["commonLabels"]) == ({"team": "x"}, {"team": "x"})
        await stage.clock.advance(20_000)
        assert [names(message) for message in stage.messages()] == [[("C", "firing")]]

    stage.run(story)


def test_what_was_told_is_not_told_again_before_the_repeat_interval() -> None:
    stage = Stage(repeat_interval_ms=HOUR_MS)

    async def story() -> None:
        stage.sink.send([firing("A")])
        await stage.clock.advance(30_000)
        assert len(stage.messages()) == 1
        for _ in range(59):
            stage.sink.send([firing("A")])
            await stage.clock.advance(60_000)
        assert stage.messages() == []
        await stage.clock.advance(60_000)
        assert len(stage.messages()) == 1

    stage.run(story)


def test_new_alert_of_a_known_group_is_told_with_the_next_group_interval() -> None:
    stage = Stage()

    async def story() -> None:
        stage.sink.send([firing("A", pod="1")])
        await stage.clock.advance(30_000)
        stage.messages()
        stage.sink.send([firing("A", pod="2")])
        await stage.clock.advance(299_000)
        assert stage.messages() == []
        await stage.clock.advance(1_000)
        (message,) = stage.messages()
        assert len(message["alerts"]) == 2

    stage.run(story)


def test_resolved_alert_is_told_once() -> None:
    stage = Stage()

    async def story() -> None:
        stage.sink.send([firing("A")])
        await stage.clock.advance(30_000)
        stage.messages()
        stage.sink.send([resolved("A", 40_000)])
        await stage.clock.advance(300_000)
        (message,) = stage.messages()
        assert (message["status"], names(message)) == ("resolved", [("A", "resolved")])
        assert message["alerts"][0]["endsAt"] == "1970-01-01T00:00:40.000Z"
        stage.sink.send([resolved("A", 40_000)])
        await stage.clock.advance(10 * HOUR_MS)
        assert stage.messages() == []

    stage.run(story)


def test_alert_that_nobody_speaks_of_any_more_is_resolved() -> None:
    stage = Stage()

    async def story() -> None:
        stage.sink.send([alert("A", ends_at_ms=240_000)])
        await stage.clock.advance(330_000)
        assert [names(message) for message in stage.messages()] == [[("A", "firing")], [("A", "resolved")]]

    stage.run(story)


def test_alert_that_resolves_within_group_wait_is_never_told() -> None:
    stage = Stage()

    async def story() -> None:
        stage.sink.send([firing("A")])
        await stage.clock.advance(10_000)
        stage.sink.send([resolved("A", 9_000)])
        await stage.clock.advance(HOUR_MS)
        assert stage.messages() == []

    stage.run(story)


def test_receiver_that_fails_is_told_ten_seconds_later() -> None:
    stage = Stage()

    async def story() -> None:
        stage.poster.failure = DeliveryError("away", is_temporary=True)
        stage.sink.send([firing("A")])
        await stage.clock.advance(30_000)
        stage.poster.failure = None
        await stage.clock.advance(9_000)
        assert stage.messages() == []
        await stage.clock.advance(1_000)
        assert len(stage.messages()) == 1

    stage.run(story)


def test_silenced_alerts_are_not_told_until_the_silence_ends() -> None:
    silence = SilenceConfig(matchers='{alertname="A", pod=~"test-.*"}', until="1970-01-01T01:00:00Z")
    stage = Stage(silences=(silence,))

    async def story() -> None:
        stage.sink.send([firing("A", pod="test-1"), firing("A", pod="live-1")])
        await stage.clock.advance(HOUR_MS - 1)
        (message,) = stage.messages()
        assert [each["labels"]["pod"] for each in message["alerts"]] == ["live-1"]
        await stage.clock.advance(300_000)
        (message,) = stage.messages()
        assert len(message["alerts"]) == 2

    stage.run(story)


def test_receiver_without_send_resolved_hears_of_firing_alerts_alone() -> None:
    stage = Stage(ReceiverConfig(kind="webhook", url="http://hook/", send_resolved=False))

    async def story() -> None:
        stage.sink.send([firing("A")])
        await stage.clock.advance(30_000)
        stage.sink.send([resolved("A", 40_000)])
        await stage.clock.advance(HOUR_MS)
        assert [names(message) for message in stage.messages()] == [[("A", "firing")]]

    stage.run(story)


def test_webhook_gets_alertmanagers_payload() -> None:
    stage = Stage()

    async def story() -> None:
        stage.sink.send([firing("A")])
        await stage.clock.advance(30_000)
        (message,) = stage.messages()
        assert message == {
            "version": "4",
            "groupKey": '{}:{alertname="A"}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "webhook",
            "groupLabels": {"alertname": "A"},
            "commonLabels": {"alertname": "A"},
            "commonAnnotations": {"summary": "A is wrong"},
            "externalURL": "http://prometheus",
            "alerts": [
                {
                    "status": "firing",
                    "labels": {"alertname": "A"},
                    "annotations": {"summary": "A is wrong"},
                    "startsAt": "1970-01-01T00:00:00.000Z",
                    "endsAt": "0001-01-01T00:00:00Z",
                    "generatorURL": "http://prometheus/graph?g0.expr=up&g0.tab=1",
                    "fingerprint": fingerprint((("alertname", "A"),)),
                }
            ],
        }

    stage.run(story)


def test_fingerprint_of_no_labels_is_the_offset_of_fnv() -> None:
    assert fingerprint(()) == "cbf29ce484222325"


def test_slack_gets_an_attachment_a_state() -> None:
    stage = Stage(ReceiverConfig(kind="slack", url="http://slack/"))

    async def story() -> None:
        stage.sink.send([firing("A", pod="1"), firing("A", pod="2")])
        await stage.clock.advance(30_000)
        stage.messages()
        stage.sink.send([resolved("A", 40_000, pod="1")])
        await stage.clock.advance(300_000)
        ((fires, is_over),) = (message["attachments"] for message in stage.messages())
        assert (fires["title"], fires["color"]) == ("[FIRING:1] A", "danger")
        assert (is_over["title"], is_over["color"]) == ("[RESOLVED:1] A", "good")
        assert fires["text"] == "• A is wrong"

    stage.run(story)


def test_grafana_gets_an_annotation_and_then_a_region() -> None:
    stage = Stage(ReceiverConfig(kind="grafana", url="http://grafana/"), repeat_interval_ms=HOUR_MS)

    async def story() -> None:
        stage.sink.send([firing("A")])
        await stage.clock.advance(2 * HOUR_MS)
        begun = {"time": 0, "tags": ["alert", "firing", "alertname:A"], "text": "A is wrong"}
        assert stage.poster.posted == [("http://grafana/api/annotations", begun)]
        stage.messages()
        stage.sink.send([resolved("A", 2 * HOUR_MS)])
        await stage.clock.advance(HOUR_MS)
        (region,) = stage.messages()
        assert (region["time"], region["timeEnd"]) == (0, 2 * HOUR_MS)

    stage.run(story)


def test_log_has_a_line_an_alert(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(ReceiverConfig(kind="log"))

    async def story() -> None:
        stage.sink.send([firing("A")])
        with caplog.at_level(logging.WARNING):
            await stage.clock.advance(30_000)
        (record,) = caplog.records
        assert record.message == "Alert firing"
        assert (vars(record)["labels"], vars(record)["summary"]) == ('{alertname="A"}', "A is wrong")

    stage.run(story)


def test_dead_mans_switch_speaks_only_while_its_alert_is_heard_of() -> None:
    stage = Stage(dead_mans_switch=SwitchConfig(url="http://alive/"))

    async def story() -> None:
        await stage.clock.advance(60_000)
        assert stage.messages() == []
        stage.sink.send([alert("Watchdog", ends_at_ms=240_000)])
        await stage.clock.advance(HOUR_MS)
        assert [message["time"] for message in stage.messages()] == [
            "1970-01-01T00:02:00.000Z",
            "1970-01-01T00:03:00.000Z",
        ]

    stage.run(story)


def test_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text()
    example = page.split("<!-- sink.yml -->\n```yaml\n")[1].split("```")[0]
    file = tmp_path / "sink.yml"
    file.write_text(example)
    config = load_sink_config(str(file))
    assert [receiver.kind for receiver in config.receivers] == ["webhook", "slack", "grafana", "log"]
    assert config.dead_mans_switch is not None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("receivers: [{kind: webhook}]", "needs a url"),
        ("receivers: [{kind: log, url: http://x/}]", "needs no url"),
        ("receivers: [{kind: email}]", "kind"),
        ("silences: [{matchers: 'a b'}]", "is no selector"),
        ("silences: [{matchers: '{a=\"b\"}', until: tomorrow}]", "is no time"),
        ("silences: [{matchers: '{a=\"b\"}', until: '2026-01-01T00:00:00'}]", "no time zone"),
        ("group_weight: 1s", "group_wait"),
    ],
)
def test_fault_in_the_file_names_file_and_line(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "sink.yml"
    file.write_text(text)
    with pytest.raises(ConfigFileError, match=f"sink.yml:1.*{fault}"):
        load_sink_config(str(file))
