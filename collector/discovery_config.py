"""Where the targets of a job come from."""

import re
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from collector.errors import ConfigError
from collector.http_config import HttpClientConfig, InlineHttpConfig
from collector.schema import DurationMs, FileName, Section, Url

KubernetesRole = Literal["pod", "service", "endpoints", "endpointslice", "node", "ingress"]

UNSUPPORTED_DISCOVERIES: Final = frozenset(
    f"{kind}_sd_configs"
    for kind in (
        "aws", "azure", "consul", "digitalocean", "docker", "dockerswarm", "ec2", "ecs", "elasticache",
        "eureka", "gce", "hetzner", "ionos", "kuma", "lightsail", "linode", "marathon", "msk", "nerve",
        "nomad", "oci", "openstack", "outscale", "ovhcloud", "puppetdb", "rds", "scaleway", "serverset",
        "stackit", "triton", "uyuni", "vultr",
    )
)  # fmt: skip
"""Discoveries that upstream has and miniprom does not."""

# Only the last part of a path may hold a *; upstream's patFileSDName.
_TARGETS_FILE: Final = re.compile(r"[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)")
_DNS_TYPES: Final = ("A", "AAAA", "MX", "NS", "SRV")

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels
# Upstream: labels.Parse and fields.ParseSelector of apimachinery.
_LABEL_WORD: Final = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_LABEL_KEY: Final = rf"(?:{_LABEL_WORD}/)?{_LABEL_WORD}"
_LABEL_TERM: Final = (
    rf"\s*(?:!\s*{_LABEL_KEY}|{_LABEL_KEY}(?:\s*(?:==?|!=)\s*(?:{_LABEL_WORD})?|\s*[<>]\s*[0-9]+"
    rf"|\s+(?:not)?in\s*\(\s*(?:{_LABEL_WORD})?(?:\s*,\s*(?:{_LABEL_WORD})?)*\s*\))?)\s*"
)
_LABEL_SELECTOR: Final = re.compile(rf"(?:{_LABEL_TERM}(?:,{_LABEL_TERM})*)?")
_FIELD_SELECTOR: Final = re.compile(r"(?:(?:(?:[^,\\=!]|\\.)+(?:==?|!=)(?:[^,\\=]|\\.)*)?(?:,(?!\Z)|\Z))*")

_SELECTORS_OF_ROLE: Final[dict[str, tuple[str, ...]]] = {
    "pod": ("pod", "node"),
    "service": ("service",),
    "endpointslice": ("pod", "service", "endpointslice"),
    "endpoints": ("pod", "service", "endpoints"),
    "node": ("node",),
    "ingress": ("ingress",),
}


class StaticConfig(Section, frozen=True, kw_only=True):
    """`static_configs`: addresses, and labels that all of them get."""

    targets: tuple[str, ...] = ()
    labels: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if "" in self.labels:
            raise ConfigError('"" is not a valid label name', key="labels")


def check_addresses(groups: Iterable[StaticConfig]) -> None:
    """Raise `ConfigError` where somebody has put a URL; without relabelling that can't become an address."""
    for address in (address for group in groups for address in group.targets):
        if "/" in address:
            raise ConfigError(f'"{address}" is not a valid hostname', key="static_configs")


def _check_interval(interval_ms: int) -> None:
    if not interval_ms:
        raise ConfigError("refresh_interval must be greater than 0", key="refresh_interval")


class FileDiscoveryConfig(Section, frozen=True, kw_only=True):
    """`file_sd_configs`: files of target groups, read again when they change, and each `refresh_interval`."""

    files: tuple[FileName, ...]
    refresh_interval_ms: DurationMs = msgspec.field(default=300_000, name="refresh_interval")

    def __post_init__(self) -> None:
        if not self.files:
            raise ConfigError("expected at least one path name", key="files")
        for name in self.files:
            if not _TARGETS_FILE.fullmatch(name):
                message = f'path name "{name}" is not valid for file discovery: expected .json, .yml or .yaml'
                raise ConfigError(message, key="files")
        _check_interval(self.refresh_interval_ms)


class HttpDiscoveryConfig(Section, frozen=True, kw_only=True):
    """`http_sd_configs`: a URL that answers with target groups as JSON."""

    url: Url
    refresh_interval_ms: DurationMs = msgspec.field(default=60_000, name="refresh_interval")
    http: InlineHttpConfig = HttpClientConfig()

    def __post_init__(self) -> None:
        if not self.url:
            raise ConfigError("URL is missing", key="url")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https"):
            raise ConfigError("URL scheme must be 'http' or 'https'", key="url")
        if not parts.netloc:
            raise ConfigError("host is missing in URL", key="url")
        _check_interval(self.refresh_interval_ms)


class DnsDiscoveryConfig(Section, frozen=True, kw_only=True):
    """`dns_sd_configs`: the records of a name; `port` is needed for all types but SRV."""

    names: tuple[str, ...]
    type: str = "SRV"
    port: int = 0
    refresh_interval_ms: DurationMs = msgspec.field(default=30_000, name="refresh_interval")

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "type", self.type.upper())
        if not self.names:
            raise ConfigError("expected at least one name to look up", key="names")
        if self.type not in _DNS_TYPES:
            expected = ", ".join(_DNS_TYPES)
            raise ConfigError(f'expected one of {expected}; got "{self.type}"', key="type")
        if self.type != "SRV" and not self.port:
            raise ConfigError("a port is required for all record types but SRV", key="port")
        _check_interval(self.refresh_interval_ms)


class KubernetesNamespaces(Section, frozen=True, kw_only=True):
    """Which namespaces to watch; none means all."""

    own_namespace: bool = False
    names: tuple[str, ...] = ()


class KubernetesSelector(Section, frozen=True, kw_only=True):
    """A label or field selector for the objects of one role."""

    role: KubernetesRole
    label: str = ""
    field: str = ""

    def __post_init__(self) -> None:
        if not _LABEL_SELECTOR.fullmatch(self.label):
            raise ConfigError(
                f'expected a label selector such as "app=web,tier in (a, b)", got "{self.label}"'
            )
        if not _FIELD_SELECTOR.fullmatch(self.field):
            raise ConfigError(f'expected a field selector such as "metadata.name=web", got "{self.field}"')


class KubernetesMetadata(Section, frozen=True, kw_only=True):
    """Which related objects lend their labels to a target."""

    node: bool = False
    namespace: bool = False
    deployment: bool = False
    job: bool = False
    cronjob: bool = False


class KubernetesConfig(Section, frozen=True, kw_only=True):
    """`kubernetes_sd_configs`; the checks are upstream's discovery/kubernetes SDConfig."""

    role: KubernetesRole
    http: InlineHttpConfig = HttpClientConfig()
    api_server: Url = ""
    kubeconfig_file: FileName = ""
    namespaces: KubernetesNamespaces = KubernetesNamespaces()
    selectors: tuple[KubernetesSelector, ...] = ()
    attach_metadata: KubernetesMetadata = KubernetesMetadata()

    def __post_init__(self) -> None:
        self._check_access()
        self._check_selectors()

    def _check_access(self) -> None:
        has_client_config = self.http != HttpClientConfig()
        if self.api_server and self.kubeconfig_file:
            raise ConfigError("cannot use 'kubeconfig_file' and 'api_server' simultaneously")
        if self.kubeconfig_file and has_client_config:
            raise ConfigError("cannot use a custom HTTP client configuration together with 'kubeconfig_file'")
        if not self.api_server and has_client_config:
            raise ConfigError("a custom HTTP client configuration needs the 'api_server' URL")
        for name in ("api_server", "kubeconfig_file"):
            if getattr(self, name) and self.namespaces.own_namespace:
                raise ConfigError(f"cannot use '{name}' and 'namespaces.own_namespace' simultaneously")

    def _check_selectors(self) -> None:
        allowed = _SELECTORS_OF_ROLE[self.role]
        roles = [selector.role for selector in self.selectors]
        for role in roles:
            if role not in allowed:
                supported = ", ".join(allowed)
                raise ConfigError(f"{self.role} role supports only {supported} selectors", key="selectors")
            if roles.count(role) > 1:
                raise ConfigError(f"duplicated selector role: {role}", key="selectors")


DiscoveryConfig: TypeAlias = FileDiscoveryConfig | HttpDiscoveryConfig | DnsDiscoveryConfig | KubernetesConfig
"""A discovery that runs beside the scrapes; `static_configs` need none."""
