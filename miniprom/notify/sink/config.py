"""The sink's file, `--alerting.sink-config`: apart from prometheus.yml, so that Prometheus can load that."""

import os
from datetime import datetime
from typing import Literal

import msgspec

from collector.errors import ConfigError
from collector.http_config import HttpClientConfig, InlineHttpConfig
from collector.schema import DurationMs, Secret, Section
from miniprom.config.decode import Decoder
from miniprom.config.load import decode_text, read_text
from query import ParseError
from query.language.parser import parse_selector
from tsdb import Matcher


class ReceiverConfig(Section, frozen=True, kw_only=True):
    """Who is told, and how. `kind: log` has no URL."""

    kind: Literal["webhook", "slack", "grafana", "log"]
    name: str = ""
    url: Secret = ""
    send_resolved: bool = True
    timeout_ms: DurationMs = msgspec.field(default=10_000, name="timeout")
    http: InlineHttpConfig = HttpClientConfig()

    def __post_init__(self) -> None:
        if bool(self.url) == (self.kind == "log"):
            raise ConfigError(
                f"a receiver of kind {self.kind} needs {'no' if self.url else 'a'} url", key="url"
            )


class SilenceConfig(Section, frozen=True, kw_only=True):
    """Alerts that nobody is told of. `until` (RFC 3339) is empty for good."""

    matchers: str
    until: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        self.parsed()
        self.until_ms()

    def parsed(self) -> tuple[Matcher, ...]:
        """The matchers, written as in a selector: `{alertname="A", namespace=~"test-.*"}`."""
        try:
            return parse_selector(self.matchers)
        except ParseError as error:
            raise ConfigError(f"{self.matchers!r} is no selector: {error}", key="matchers") from error

    def until_ms(self) -> int | None:
        """When it ends; None for never."""
        if not self.until:
            return None
        try:
            end = datetime.fromisoformat(self.until)
        except ValueError as error:
            raise ConfigError(
                f"{self.until!r} is no time; expected 2026-01-31T12:00:00Z", key="until"
            ) from error
        if end.tzinfo is None:
            raise ConfigError(f"{self.until!r} has no time zone; expected 2026-01-31T12:00:00Z", key="until")
        return int(end.timestamp() * 1000)


class SwitchConfig(Section, frozen=True, kw_only=True):
    """A dead-man's switch: while the alert fires, `url` hears of it each `interval`."""

    url: Secret
    alertname: str = "Watchdog"
    interval_ms: DurationMs = msgspec.field(default=60_000, name="interval")
    timeout_ms: DurationMs = msgspec.field(default=10_000, name="timeout")
    http: InlineHttpConfig = HttpClientConfig()

    def __post_init__(self) -> None:
        if self.interval_ms <= 0:
            raise ConfigError("interval must be greater than 0", key="interval")


class SinkConfig(Section, frozen=True, kw_only=True):
    """The whole file. The defaults are Alertmanager's."""

    group_by: tuple[str, ...] = ("alertname",)
    group_wait_ms: DurationMs = msgspec.field(default=30_000, name="group_wait")
    group_interval_ms: DurationMs = msgspec.field(default=300_000, name="group_interval")
    repeat_interval_ms: DurationMs = msgspec.field(default=14_400_000, name="repeat_interval")
    receivers: tuple[ReceiverConfig, ...] = ()
    silences: tuple[SilenceConfig, ...] = ()
    dead_mans_switch: SwitchConfig | None = None

    def __post_init__(self) -> None:
        if self.group_interval_ms <= 0:
            raise ConfigError("group_interval must be greater than 0", key="group_interval")


def load_sink_config(file_name: str) -> SinkConfig:
    """Read the file. Raises `ConfigFileError`."""
    directory = os.path.dirname(os.path.abspath(file_name))
    return decode_text(read_text(file_name), SinkConfig, Decoder(file_name, directory), file_name)
