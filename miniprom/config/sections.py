"""The sections of `prometheus.yml` beside scraping: upstream's config.Config."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final, Literal

import msgspec

from collector.config import GlobalConfig, ScrapeConfig
from collector.discovery_config import (
    UNSUPPORTED_DISCOVERIES,
    DiscoveryConfig,
    DnsDiscoveryConfig,
    FileDiscoveryConfig,
    HttpDiscoveryConfig,
    KubernetesConfig,
    StaticConfig,
    check_addresses,
)
from collector.errors import ConfigError
from collector.http_config import HttpClientConfig, InlineHttpConfig, TlsConfig
from collector.relabel import NameScheme, RelabelConfig
from collector.schema import DurationMs, FileName, Section, SizeBytes, Url

# A star may stand in the last part of the path only; upstream's patRulePath.
_FILE_PATTERN: Final = re.compile(r"[^*]*(\*[^/]*)?")

_HEADERS_TAKEN: Final = frozenset(
    {
        "authorization",
        "host",
        "content-encoding",
        "content-length",
        "content-type",
        "user-agent",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "www-authenticate",
        "accept-encoding",
        "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
    }
)


class RuntimeConfig(Section, frozen=True, kw_only=True):
    """`runtime`."""

    gogc: int = 75


class AlertmanagerConfig(Section, frozen=True, kw_only=True):
    """One group of Alertmanagers to send alerts to."""

    unsupported: ClassVar[frozenset[str]] = UNSUPPORTED_DISCOVERIES | {"sigv4"}

    scheme: Literal["http", "https"] = "http"
    path_prefix: str = ""
    timeout_ms: DurationMs = msgspec.field(default=10_000, name="timeout")
    api_version: Literal["v2"] = "v2"
    http: InlineHttpConfig = HttpClientConfig()
    static_configs: tuple[StaticConfig, ...] = ()
    file_sd_configs: tuple[FileDiscoveryConfig, ...] = ()
    http_sd_configs: tuple[HttpDiscoveryConfig, ...] = ()
    dns_sd_configs: tuple[DnsDiscoveryConfig, ...] = ()
    kubernetes_sd_configs: tuple[KubernetesConfig, ...] = ()
    relabel_configs: tuple[RelabelConfig, ...] = ()
    alert_relabel_configs: tuple[RelabelConfig, ...] = ()

    def __post_init__(self) -> None:
        if not self.relabel_configs:
            check_addresses(self.static_configs)

    @property
    def discoveries(self) -> tuple[DiscoveryConfig, ...]:
        """All discoveries but the static one."""
        return (
            *self.file_sd_configs,
            *self.http_sd_configs,
            *self.dns_sd_configs,
            *self.kubernetes_sd_configs,
        )


class AlertingConfig(Section, frozen=True, kw_only=True):
    """`alerting`."""

    alert_relabel_configs: tuple[RelabelConfig, ...] = ()
    alertmanagers: tuple[AlertmanagerConfig, ...] = ()


class QueueConfig(Section, frozen=True, kw_only=True):
    """`queue_config` of a remote write."""

    capacity: int = 10_000
    max_shards: int = 50
    min_shards: int = 1
    max_samples_per_send: int = 2_000
    batch_send_deadline_ms: DurationMs = msgspec.field(default=5_000, name="batch_send_deadline")
    min_backoff_ms: DurationMs = msgspec.field(default=30, name="min_backoff")
    max_backoff_ms: DurationMs = msgspec.field(default=5_000, name="max_backoff")
    retry_on_http_429: bool = False
    sample_age_limit_ms: DurationMs = msgspec.field(default=0, name="sample_age_limit")

    def __post_init__(self) -> None:
        for name in ("capacity", "max_shards", "min_shards", "max_samples_per_send"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} must be greater than 0, got {getattr(self, name)}", key=name)
        if self.min_shards > self.max_shards:
            raise ConfigError("min_shards must not be greater than max_shards", key="min_shards")
        if self.max_backoff_ms < self.min_backoff_ms:
            raise ConfigError("max_backoff must not be less than min_backoff", key="max_backoff")


class MetadataConfig(Section, frozen=True, kw_only=True):
    """`metadata_config` of a remote write."""

    send: bool = True
    send_interval_ms: DurationMs = msgspec.field(default=60_000, name="send_interval")
    max_samples_per_send: int = 2_000


class RemoteWriteConfig(Section, frozen=True, kw_only=True):
    """One entry of `remote_write`."""

    unsupported: ClassVar[frozenset[str]] = frozenset({"sigv4", "azuread", "google_iam"})

    url: Url
    name: str = ""
    remote_timeout_ms: DurationMs = msgspec.field(default=30_000, name="remote_timeout")
    protobuf_message: Literal["prometheus.WriteRequest", "io.prometheus.write.v2.Request"] = (
        "prometheus.WriteRequest"
    )
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    send_exemplars: bool = False
    send_native_histograms: bool = False
    round_robin_dns: bool = False
    failed_request_logging: bool = False
    write_relabel_configs: tuple[RelabelConfig, ...] = ()
    http: InlineHttpConfig = HttpClientConfig(enable_http2=False)
    queue_config: QueueConfig = QueueConfig()
    metadata_config: MetadataConfig = MetadataConfig()

    def __post_init__(self) -> None:
        _require_url(self.url, "remote_write")
        _check_headers(self.headers)


class RemoteReadConfig(Section, frozen=True, kw_only=True):
    """One entry of `remote_read`."""

    url: Url
    name: str = ""
    remote_timeout_ms: DurationMs = msgspec.field(default=60_000, name="remote_timeout")
    chunked_read_limit: int = 50_000_000
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    required_matchers: dict[str, str] = msgspec.field(default_factory=dict)
    read_recent: bool = False
    filter_external_labels: bool = True
    http: InlineHttpConfig = HttpClientConfig()

    def __post_init__(self) -> None:
        _require_url(self.url, "remote_read")
        if self.chunked_read_limit < 0:
            raise ConfigError(
                f"chunked_read_limit must not be negative, got {self.chunked_read_limit}",
                key="chunked_read_limit",
            )
        _check_headers(self.headers)


class RetentionConfig(Section, frozen=True, kw_only=True):
    """`storage.tsdb.retention`; what is 0 is left to the command line."""

    without_effect: ClassVar[frozenset[str]] = frozenset({"percentage"})

    time_ms: DurationMs = msgspec.field(default=0, name="time")
    size_bytes: SizeBytes = msgspec.field(default=0, name="size")
    percentage: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.percentage <= 100:
            message = (
                f"'storage.tsdb.retention.percentage' must be in the range [0, 100], got {self.percentage:g}"
            )
            raise ConfigError(message, key="percentage")


class ChunkEncodingConfig(Section, frozen=True, kw_only=True):
    """`storage.tsdb.chunk_encoding`: files of upstream's store, which miniprom has none of."""

    floats: Literal["", "xor", "xor2"] = ""


class TsdbConfig(Section, frozen=True, kw_only=True):
    """`storage.tsdb`."""

    without_effect: ClassVar[frozenset[str]] = frozenset(
        {"stale_series_compaction_threshold", "chunk_encoding"}
    )

    out_of_order_time_window_ms: DurationMs = msgspec.field(default=0, name="out_of_order_time_window")
    stale_series_compaction_threshold: float = 0.0
    chunk_encoding: ChunkEncodingConfig = ChunkEncodingConfig()
    retention: RetentionConfig = RetentionConfig()


class ExemplarsConfig(Section, frozen=True, kw_only=True):
    """`storage.exemplars`."""

    max_exemplars: int = 100_000


class StorageConfig(Section, frozen=True, kw_only=True):
    """`storage`."""

    without_effect: ClassVar[frozenset[str]] = frozenset({"exemplars"})

    tsdb: TsdbConfig = TsdbConfig()
    exemplars: ExemplarsConfig = ExemplarsConfig()


class TracingConfig(Section, frozen=True, kw_only=True):
    """`tracing`."""

    client_type: Literal["http", "grpc"] = "grpc"
    endpoint: str = ""
    sampling_fraction: float = 0.0
    insecure: bool = False
    tls_config: TlsConfig = TlsConfig()
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    compression: Literal["", "gzip"] = ""
    timeout_ms: DurationMs = msgspec.field(default=0, name="timeout")

    def __post_init__(self) -> None:
        if not self.endpoint:
            raise ConfigError("tracing endpoint must be set")
        _check_headers(self.headers)


class OtlpConfig(Section, frozen=True, kw_only=True):
    """`otlp`."""

    promote_all_resource_attributes: bool = False
    promote_resource_attributes: tuple[str, ...] = ()
    ignore_resource_attributes: tuple[str, ...] = ()
    translation_strategy: Literal[
        "",
        "UnderscoreEscapingWithSuffixes",
        "UnderscoreEscapingWithoutSuffixes",
        "NoUTF8EscapingWithSuffixes",
        "NoTranslation",
    ] = "UnderscoreEscapingWithSuffixes"
    keep_identifying_resource_attributes: bool = False
    convert_histograms_to_nhcb: bool = False
    promote_scope_metadata: bool = False
    label_name_underscore_sanitization: bool = True
    label_name_preserve_multiple_underscores: bool = True

    def __post_init__(self) -> None:
        promoted, ignored = self.promote_resource_attributes, self.ignore_resource_attributes
        if self.promote_all_resource_attributes and promoted:
            raise ConfigError(
                "'promote_all_resource_attributes' and 'promote_resource_attributes' "
                "cannot be configured simultaneously"
            )
        if ignored and not self.promote_all_resource_attributes:
            raise ConfigError(
                "'ignore_resource_attributes' cannot be configured unless "
                "'promote_all_resource_attributes' is true"
            )
        for attribute in (names := [name.strip() for name in (*promoted, *ignored)]):
            if not attribute:
                raise ConfigError("empty OTel resource attribute")
            if names.count(attribute) > 1:
                raise ConfigError(f'duplicated OTel resource attribute "{attribute}"')


class Config(Section, frozen=True, kw_only=True):
    """The whole file, defaults filled in."""

    without_effect: ClassVar[frozenset[str]] = frozenset(
        {"runtime", "tracing", "remote_write", "remote_read", "otlp"}
    )

    global_: GlobalConfig = msgspec.field(default=GlobalConfig(), name="global")
    runtime: RuntimeConfig = RuntimeConfig()
    alerting: AlertingConfig = AlertingConfig()
    rule_files: tuple[FileName, ...] = ()
    scrape_config_files: tuple[FileName, ...] = ()
    scrape_configs: tuple[ScrapeConfig, ...] = ()
    storage: StorageConfig = StorageConfig()
    tracing: TracingConfig | None = None
    remote_write: tuple[RemoteWriteConfig, ...] = ()
    remote_read: tuple[RemoteReadConfig, ...] = ()
    otlp: OtlpConfig = OtlpConfig()

    def __post_init__(self) -> None:
        for key in ("rule_files", "scrape_config_files"):
            for pattern in getattr(self, key):
                if not _FILE_PATTERN.fullmatch(pattern):
                    raise ConfigError(
                        f'invalid file path "{pattern}": only its last part may hold a *', key=key
                    )
        for key in ("remote_write", "remote_read"):
            names = [entry.name for entry in getattr(self, key) if entry.name]
            for name in names:
                if names.count(name) > 1:
                    raise ConfigError(f'found multiple {key} configs with job name "{name}"', key=key)
        self._check_name_scheme()

    def _check_name_scheme(self) -> None:
        """Of what is not a job's: jobs may have a scheme of their own."""
        scheme: NameScheme = "legacy" if self.global_.metric_name_validation_scheme == "legacy" else "utf8"
        managers = self.alerting.alertmanagers
        rules = {
            "alerting": (
                *self.alerting.alert_relabel_configs,
                *(rule for manager in managers for rule in manager.relabel_configs),
                *(rule for manager in managers for rule in manager.alert_relabel_configs),
            ),
            "remote_write": [rule for write in self.remote_write for rule in write.write_relabel_configs],
        }
        for key, those in rules.items():
            for rule in those:
                try:
                    rule.check_names(scheme)
                except ConfigError as error:
                    raise ConfigError(str(error), key=key) from error
        strategy = self.otlp.translation_strategy
        if scheme == "legacy" and strategy in ("NoTranslation", "NoUTF8EscapingWithSuffixes"):
            raise ConfigError(
                f'OTLP translation strategy "{strategy}" is not allowed when UTF8 is disabled', key="otlp"
            )


class ScrapeConfigFile(Section, frozen=True, kw_only=True):
    """A file that `scrape_config_files` names."""

    scrape_configs: tuple[ScrapeConfig, ...] = ()


def _check_headers(headers: Mapping[str, str]) -> None:
    for name in headers:
        if name.lower() in _HEADERS_TAKEN:
            raise ConfigError(f'"{name}" is a reserved header. It must not be changed', key="headers")


def _require_url(url: str, section: str) -> None:
    if not url:
        raise ConfigError(f"url for {section} is empty", key="url")
