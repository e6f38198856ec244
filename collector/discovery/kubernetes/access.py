"""Where the API server is and how to prove who we are: in a cluster, by kubeconfig, or as configured."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from collector.discovery_config import KubernetesConfig
from collector.errors import ConfigError, DiscoveryError
from collector.http_config import BasicAuth, HttpClientConfig, TlsConfig

SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a pod finds its token, the cluster's certificate authority and its namespace."""


@dataclass(frozen=True)
class ApiAccess:
    """The API server's URL, without a slash at the end, and the settings of its HTTP client."""

    url: str
    http: HttpClientConfig


@dataclass(frozen=True)
class Surroundings:
    """What a process in a pod is given by Kubernetes."""

    environ: Mapping[str, str]
    service_account: str = SERVICE_ACCOUNT

    def access(self) -> ApiAccess:
        """The access that every pod has. Raises `DiscoveryError` outside of a cluster."""
        host, port = (self.environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
        if not host or not port:
            raise DiscoveryError(
                "not in a Kubernetes cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not "
                "set; name an api_server or a kubeconfig_file"
            )
        token_file, ca_file = (os.path.join(self.service_account, name) for name in ("token", "ca.crt"))
        http = HttpClientConfig(bearer_token_file=token_file, tls_config=TlsConfig(ca_file=ca_file))
        return ApiAccess(f"https://{f'[{host}]' if ':' in host else host}:{port}", http)

    def namespace(self) -> str:
        """The pod's own namespace. Raises `DiscoveryError`."""
        name = _read(os.path.join(self.service_account, "namespace")).strip()
        if not name:
            raise DiscoveryError("could not read own namespace name (empty file)")
        return name


def access_of(config: KubernetesConfig, surroundings: Surroundings) -> ApiAccess:
    """The access that a discovery is configured with. Raises `DiscoveryError`."""
    if config.kubeconfig_file:
        return kubeconfig_access(config.kubeconfig_file)
    if config.api_server:
        return ApiAccess(config.api_server.rstrip("/"), config.http)
    return surroundings.access()


def kubeconfig_access(file_name: str) -> ApiAccess:
    """The access of a kubeconfig's current context. Raises `DiscoveryError`."""
    try:
        document = yaml.safe_load(_read(file_name))
    except yaml.YAMLError as error:
        raise DiscoveryError(f"{file_name}: {error}") from error
    reader = _Kubeconfig(file_name, document if isinstance(document, dict) else {})
    context = reader.named("contexts", "context", str(reader.document.get("current-context") or ""))
    cluster = reader.named("clusters", "cluster", str(context.get("cluster") or ""))
    user = reader.named("users", "user", str(context["user"])) if context.get("user") else {}
    if not cluster.get("server"):
        raise DiscoveryError(f'{file_name}: cluster "{context.get("cluster")}" has no server')
    try:
        return ApiAccess(str(cluster["server"]).rstrip("/"), reader.http(cluster, user))
    except ConfigError as error:
        raise DiscoveryError(f"{file_name}: {error}") from error


@dataclass(frozen=True)
class _Kubeconfig:
    file_name: str
    document: Mapping[str, Any]

    def named(self, section: str, key: str, name: str) -> Mapping[str, Any]:
        """An entry of one of the file's lists of named things."""
        for entry in self.document.get(section) or ():
            if isinstance(entry, dict) and entry.get("name") == name:
                found = entry.get(key)
                return found if isinstance(found, dict) else {}
        raise DiscoveryError(f'{self.file_name}: {key} "{name}" is not among the {section}')

    def http(self, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> HttpClientConfig:
        """The settings of a cluster's client; inline data goes before files. Raises `ConfigError`, too."""
        for key in ("exec", "auth-provider"):
            if user.get(key):
                raise DiscoveryError(f'{self.file_name}: "{key}" credentials are not supported by miniprom')
        has_password = user.get("username") or user.get("password")
        return HttpClientConfig(
            tls_config=TlsConfig(
                ca=self._decoded(cluster, "certificate-authority"),
                ca_file=self._unless_inline(cluster, "certificate-authority"),
                cert=self._decoded(user, "client-certificate"),
                cert_file=self._unless_inline(user, "client-certificate"),
                key=self._decoded(user, "client-key"),
                key_file=self._unless_inline(user, "client-key"),
                server_name=str(cluster.get("tls-server-name") or ""),
                insecure_skip_verify=bool(cluster.get("insecure-skip-tls-verify")),
            ),
            proxy_url=str(cluster.get("proxy-url") or ""),
            bearer_token=str(user.get("token") or ""),
            bearer_token_file="" if user.get("token") else self._path(user, "tokenFile"),
            basic_auth=BasicAuth(
                username=str(user.get("username") or ""), password=str(user.get("password") or "")
            )
            if has_password
            else None,
        )

    def _path(self, section: Mapping[str, Any], key: str) -> str:
        """Relative names start from the kubeconfig's folder."""
        name = str(section.get(key) or "")
        return os.path.join(os.path.dirname(self.file_name), name) if name else ""

    def _unless_inline(self, section: Mapping[str, Any], key: str) -> str:
        return "" if section.get(f"{key}-data") else self._path(section, key)

    def _decoded(self, section: Mapping[str, Any], key: str) -> str:
        try:
            return base64.b64decode(str(section.get(f"{key}-data") or ""), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise DiscoveryError(f"{self.file_name}: {key}-data is not base64: {error}") from error


def _read(file_name: str) -> str:
    try:
        with open(file_name, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise DiscoveryError(f"{file_name}: {reason}") from error
