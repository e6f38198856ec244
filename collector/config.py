"""The configuration of scraping: global defaults, and jobs. One schema for files and for programs."""

from typing import ClassVar, Final, Literal, TypeAlias

import msgspec

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
from collector.http_config import HttpClientConfig, InlineHttpConfig
from collector.relabel import NameScheme, RelabelConfig
from collector.schema import DurationMs, FileName, Section, SizeBytes

ScrapeProtocol: TypeAlias = Literal[
    "PrometheusProto",
    "OpenMetricsText0.0.1",
    "OpenMetricsText1.0.0",
    "PrometheusText0.0.4",
    "PrometheusText1.0.0",
]
EscapingScheme: TypeAlias = Literal["", "allow-utf-8", "underscores", "dots", "values"]
Limit: TypeAlias = int
"""A count above which something fails; 0 is no limit."""

TEXT_PROTOCOLS: Final[tuple[ScrapeProtocol, ...]] = (
    "OpenMetricsText1.0.0",
    "OpenMetricsText0.0.1",
    "PrometheusText1.0.0",
    "PrometheusText0.0.4",
)

PROTOBUF_FIRST: Final[tuple[ScrapeProtocol, ...]] = ("PrometheusProto", *TEXT_PROTOCOLS)
"""The default of jobs that scrape native histograms: no text format has them."""

DEFAULT_INTERVAL_MS: Final = 60_000
DEFAULT_TIMEOUT_MS: Final = 10_000


class ScrapeLimits(Section, frozen=True, kw_only=True):
    """Keys that a job has and that `global` gives a default for."""

    body_size_limit_bytes: SizeBytes = msgspec.field(default=0, name="body_size_limit")
    sample_limit: Limit = 0
    target_limit: Limit = 0
    label_limit: Limit = 0
    label_name_length_limit: Limit = 0
    label_value_length_limit: Limit = 0
    keep_dropped_targets: Limit = 0
    scrape_failure_log_file: FileName = ""
    scrape_native_histograms: bool | None = None
    convert_classic_histograms_to_nhcb: bool | None = None
    always_scrape_classic_histograms: bool | None = None
    extra_scrape_metrics: bool | None = None
    metric_name_validation_scheme: Literal["", "utf8", "legacy"] = ""
    metric_name_escaping_scheme: EscapingScheme = ""
    scrape_protocols: tuple[ScrapeProtocol, ...] | None = None

    def __post_init__(self) -> None:
        protocols = self.scrape_protocols
        if protocols is not None and not protocols:
            raise ConfigError("scrape_protocols cannot be empty", key="scrape_protocols")
        if protocols and len(set(protocols)) < len(protocols):
            message = f"duplicated protocol in scrape_protocols, got {list(protocols)}"
            raise ConfigError(message, key="scrape_protocols")
        for info in msgspec.structs.fields(type(self)):
            value = getattr(self, info.name)
            if info.type in (Limit, SizeBytes) and value < 0:
                message = f"{info.encode_name} must not be negative, got {value}"
                raise ConfigError(message, key=info.encode_name)


class GlobalConfig(ScrapeLimits, frozen=True, kw_only=True):
    """`global`."""

    scrape_interval_ms: DurationMs = msgspec.field(default=0, name="scrape_interval")
    scrape_timeout_ms: DurationMs = msgspec.field(default=0, name="scrape_timeout")
    evaluation_interval_ms: DurationMs = msgspec.field(default=0, name="evaluation_interval")
    rule_query_offset_ms: DurationMs = msgspec.field(default=0, name="rule_query_offset")
    query_log_file: FileName = ""
    external_labels: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        ScrapeLimits.__post_init__(self)
        interval_ms = self.scrape_interval_ms or DEFAULT_INTERVAL_MS
        if self.scrape_timeout_ms > interval_ms:
            raise ConfigError("global scrape timeout greater than scrape interval", key="scrape_timeout")
        defaults: dict[str, int] = {
            "scrape_interval_ms": interval_ms,
            "scrape_timeout_ms": self.scrape_timeout_ms or min(DEFAULT_TIMEOUT_MS, interval_ms),
            "evaluation_interval_ms": self.evaluation_interval_ms or DEFAULT_INTERVAL_MS,
        }
        for name, value in defaults.items():
            msgspec.structs.force_setattr(self, name, value)


class ScrapeConfig(ScrapeLimits, frozen=True, kw_only=True):
    """One job of `scrape_configs`. What is 0, None or "" here is inherited: see `with_defaults`."""

    unsupported: ClassVar[frozenset[str]] = UNSUPPORTED_DISCOVERIES

    job_name: str
    scrape_interval_ms: DurationMs = msgspec.field(default=0, name="scrape_interval")
    scrape_timeout_ms: DurationMs = msgspec.field(default=0, name="scrape_timeout")
    metrics_path: str = "/metrics"
    scheme: Literal["http", "https"] = "http"
    params: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    honor_labels: bool = False
    honor_timestamps: bool = True
    track_timestamps_staleness: bool = False
    enable_compression: bool = True
    fallback_scrape_protocol: ScrapeProtocol | Literal[""] = ""
    native_histogram_bucket_limit: Limit = 0
    native_histogram_min_bucket_factor: float = 0.0
    http: InlineHttpConfig = HttpClientConfig()
    static_configs: tuple[StaticConfig, ...] = ()
    file_sd_configs: tuple[FileDiscoveryConfig, ...] = ()
    http_sd_configs: tuple[HttpDiscoveryConfig, ...] = ()
    dns_sd_configs: tuple[DnsDiscoveryConfig, ...] = ()
    kubernetes_sd_configs: tuple[KubernetesConfig, ...] = ()
    relabel_configs: tuple[RelabelConfig, ...] = ()
    metric_relabel_configs: tuple[RelabelConfig, ...] = ()

    def __post_init__(self) -> None:
        ScrapeLimits.__post_init__(self)
        if not self.job_name:
            raise ConfigError("job_name is empty", key="job_name")
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

    @property
    def name_scheme(self) -> NameScheme:
        """Which characters metric and label names may have."""
        return "legacy" if self.metric_name_validation_scheme == "legacy" else "utf8"

    def with_defaults(self, global_: GlobalConfig) -> "ScrapeConfig":
        """The job with what it left open taken from `global_`. Raises `ConfigError` if they disagree."""
        interval_ms = self.scrape_interval_ms or global_.scrape_interval_ms
        if self.scrape_timeout_ms > interval_ms:
            message = f'scrape timeout greater than scrape interval for job name "{self.job_name}"'
            raise ConfigError(message, key="scrape_timeout")
        inherited = {
            name: getattr(self, name) or getattr(global_, name)
            for name in _INHERITED
            if getattr(self, name) is not False
        }
        scheme, escaping = self._name_schemes(global_)
        default_protocols = PROTOBUF_FIRST if inherited.get("scrape_native_histograms") else TEXT_PROTOCOLS
        job = msgspec.structs.replace(
            self,
            **inherited,
            scrape_interval_ms=interval_ms,
            scrape_timeout_ms=self.scrape_timeout_ms or min(global_.scrape_timeout_ms, interval_ms),
            scrape_protocols=self.scrape_protocols or global_.scrape_protocols or default_protocols,
            metric_name_validation_scheme=scheme,
            metric_name_escaping_scheme=escaping,
        )
        for rule in (*self.relabel_configs, *self.metric_relabel_configs):
            rule.check_names(job.name_scheme)
        return job

    def _name_schemes(self, global_: GlobalConfig) -> tuple[NameScheme, EscapingScheme]:
        """Upstream's ScrapeConfig.Validate: a job's own validation scheme decides how names are escaped."""
        global_scheme = global_.metric_name_validation_scheme or "utf8"
        scheme = self.metric_name_validation_scheme or global_scheme
        escaping = self.metric_name_escaping_scheme
        if not escaping and not self.metric_name_validation_scheme:
            escaping = global_.metric_name_escaping_scheme
        escaping = escaping or ("underscores" if scheme == "legacy" else "allow-utf-8")
        if escaping == "allow-utf-8" and scheme == "legacy":
            raise ConfigError("utf8 metric names requested but validation scheme is not set to UTF8")
        return scheme, escaping


_INHERITED: Final = tuple(
    info.name
    for info in msgspec.structs.fields(ScrapeLimits)
    if not info.name.startswith(("metric_name_", "scrape_protocols"))
)
