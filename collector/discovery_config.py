"""Where the targets of a job come from."""

from typing import Final, Literal

import msgspec

from collector.errors import ConfigError
from collector.http_config import HttpClientConfig, InlineHttpConfig
from collector.schema import FileName, Section

KubernetesRole = Literal["pod", "service", "endpoints", "endpointslice", "node", "ingress"]

UNSUPPORTED_DISCOVERIES: Final = frozenset(
    f"{kind}_sd_configs"
    for kind in (
        "aws", "azure", "consul", "digitalocean", "dns", "docker", "dockerswarm", "ec2", "eureka", "file",
        "gce", "hetzner", "http", "ionos", "kuma", "lightsail", "linode", "marathon", "nerve", "nomad", "oci",
        "openstack", "outscale", "ovhcloud", "puppetdb", "scaleway", "serverset", "stackit", "triton",
        "uyuni", "vultr",
    )
)  # fmt: skip
"""Discoveries that upstream has and miniprom does not."""

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


class KubernetesNamespaces(Section, frozen=True, kw_only=True):
    """Which namespaces to watch; none means all."""

    own_namespace: bool = False
    names: tuple[str, ...] = ()


class KubernetesSelector(Section, frozen=True, kw_only=True):
    """A label or field selector for the objects of one role."""

    role: KubernetesRole
    label: str = ""
    field: str = ""


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
    api_server: str = ""
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
