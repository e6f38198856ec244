"""The flags as typed values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collector.errors import UnitError
from collector.units import parse_duration_ms
from miniprom.errors import MinipromError
from miniprom.flags import FEATURES, FLAGS
from miniprom.memory_limit import available_memory_bytes, memory_limit_bytes

DEFAULT_RETENTION = "2h"
SYNC_POLICIES = ("never", "interval", "always")
_LEVELS = ("debug", "info", "warn", "error")
_FORMATS = ("logfmt", "json")


class BadFlagError(MinipromError):
    """A flag with a value that it can't have."""


@dataclass(frozen=True)
class ListenAddress:
    """Where the server listens; an empty host is every interface."""

    host: str
    port: int


@dataclass(frozen=True)
class Settings:
    """What the server was started with. Durations are in milliseconds."""

    config_file: str
    listen: tuple[ListenAddress, ...]
    external_url: str
    route_prefix: str
    page_title: str
    cors_origin: str
    read_timeout_ms: int
    enable_lifecycle: bool
    enable_remote_write_receiver: bool
    enable_admin_api: bool
    storage_path: str
    """Empty: memory only."""
    wal_sync: str
    retention_ms: int
    retention_bytes: int | None
    """Of samples in memory; None: no limit, as of the next."""
    memory_limit_bytes: int | None
    lookback_ms: int
    query_timeout_ms: int
    alert_resend_delay_ms: int
    alert_grace_period_ms: int
    alert_outage_tolerance_ms: int
    alert_queue_capacity: int
    alert_batch_size: int
    drains_alerts: bool
    sink_config_file: str
    """Empty: no sink."""
    query_max_concurrency: int
    query_max_samples: int
    kubernetes_monitors: bool
    flux_state: bool
    flux_old_metrics: bool
    kubeconfig: str
    features: frozenset[str]
    log_level: str
    log_format: str
    flags: Mapping[str, str]
    """Every flag as text, as /api/v1/status/flags shows it."""
    notices: tuple[str, ...]
    """What was given and has no effect, to be logged at start."""


def settings_of(given: Mapping[str, str]) -> Settings:
    """The settings behind the flags that were given (the rest has its default). Raises `BadFlagError`."""
    flags = {flag.name: given.get(flag.name, flag.default) for flag in FLAGS}
    flags["storage.tsdb.retention.time"] = (
        flags["storage.tsdb.retention.time"] or flags["storage.tsdb.retention"] or DEFAULT_RETENTION
    )
    if flags["web.config.file"]:
        reason = (
            "TLS and authentication are not there yet, and serving without what the file asks for is unsafe"
        )
        raise BadFlagError(f"--web.config.file: {reason}")
    features = [name for name in flags["enable-feature"].split(",") if name]
    external_url = flags["web.external-url"]
    return Settings(
        config_file=flags["config.file"],
        listen=tuple(_listen_address(text) for text in flags["web.listen-address"].split(",")),
        external_url=external_url,
        route_prefix=_route_prefix(flags["web.route-prefix"], external_url),
        page_title=flags["web.page-title"],
        cors_origin=flags["web.cors.origin"],
        read_timeout_ms=_duration(flags, "web.read-timeout"),
        enable_lifecycle=flags["web.enable-lifecycle"] == "true",
        enable_remote_write_receiver=flags["web.enable-remote-write-receiver"] == "true",
        enable_admin_api=flags["web.enable-admin-api"] == "true",
        storage_path=flags["storage.tsdb.path"],
        wal_sync=_one_of(flags, "storage.wal.sync", SYNC_POLICIES),
        retention_ms=_duration(flags, "storage.tsdb.retention.time"),
        retention_bytes=_size(flags, "storage.tsdb.retention.size") or None,
        memory_limit_bytes=_size(flags, "storage.memory-limit") or None,
        lookback_ms=_duration(flags, "query.lookback-delta"),
        query_timeout_ms=_duration(flags, "query.timeout"),
        alert_resend_delay_ms=_duration(flags, "rules.alert.resend-delay"),
        alert_grace_period_ms=_duration(flags, "rules.alert.for-grace-period"),
        alert_outage_tolerance_ms=_duration(flags, "rules.alert.for-outage-tolerance"),
        sink_config_file=flags["alerting.sink-config"],
        alert_queue_capacity=_positive(flags, "alertmanager.notification-queue-capacity"),
        alert_batch_size=_positive(flags, "alertmanager.notification-batch-size"),
        drains_alerts=flags["alertmanager.drain-notification-queue-on-shutdown"] == "true",
        query_max_concurrency=_positive(flags, "query.max-concurrency"),
        query_max_samples=_positive(flags, "query.max-samples"),
        kubernetes_monitors=flags["kubernetes.monitors"] == "true",
        flux_state=flags["flux.state"] == "true",
        flux_old_metrics=flags["flux.old-metrics"] == "true",
        kubeconfig=flags["kubernetes.kubeconfig"],
        features=frozenset(features),
        log_level=_one_of(flags, "log.level", _LEVELS),
        log_format=_one_of(flags, "log.format", _FORMATS),
        flags=flags,
        notices=(*_ignored_flags(given), *_ignored_features(features)),
    )


def _ignored_flags(given: Iterable[str]) -> list[str]:
    return [
        f"--{flag.name} has no effect: {flag.ignored}"
        for flag in FLAGS
        if flag.ignored and flag.name in given
    ]


def _ignored_features(names: Iterable[str]) -> list[str]:
    notices = []
    for name in names:
        reason = FEATURES.get(name)
        if reason is None:
            notices.append(f"Unknown option for --enable-feature: {name}")
        elif reason:
            notices.append(f"--enable-feature={name} has no effect: {reason}")
    return notices


def _duration(flags: Mapping[str, str], name: str) -> int:
    try:
        duration_ms = parse_duration_ms(flags[name])
    except UnitError as error:
        raise BadFlagError(f"--{name}: {error}") from error
    if duration_ms <= 0:
        raise BadFlagError(f"--{name}: expected more than zero, got {flags[name]!r}")
    return duration_ms


def _size(flags: Mapping[str, str], name: str) -> int | None:
    try:
        return memory_limit_bytes(flags[name], available_memory_bytes)
    except UnitError as error:
        raise BadFlagError(f"--{name}: {error}") from error


def _positive(flags: Mapping[str, str], name: str) -> int:
    text = flags[name]
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise BadFlagError(f"--{name}: expected a whole number greater than zero, got {text!r}")
    return int(text)


def _one_of(flags: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    if flags[name] not in choices:
        raise BadFlagError(f"--{name}: expected one of {', '.join(choices)}, got {flags[name]!r}")
    return flags[name]


def _listen_address(text: str) -> ListenAddress:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadFlagError(f"--web.listen-address: expected host:port such as 0.0.0.0:9090, got {text!r}")
    return ListenAddress(host.strip("[]"), int(port))


def _route_prefix(prefix: str, external_url: str) -> str:
    """The prefix with one slash in front and none behind; "" at the root."""
    path = prefix or "/" + external_url.partition("://")[2].partition("/")[2]
    trimmed = path.strip("/")
    return f"/{trimmed}" if trimmed else ""
