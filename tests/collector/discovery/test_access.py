"""Where the API server is, and who we are there."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.discovery.kubernetes.access import Surroundings, access_of, kubeconfig_access
from collector.discovery_config import KubernetesConfig
from collector.errors import DiscoveryError
from collector.http_config import BasicAuth, HttpClientConfig, TlsConfig

IN_CLUSTER = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def write(folder: Path, *, cluster: dict[str, Any], user: dict[str, Any]) -> str:
    file = folder / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": cluster}],
                "users": [{"name": "u", "user": user}],
            }
        )
    )
    return str(file)


def test_pod_is_given_address_token_and_authority() -> None:
    access = Surroundings(IN_CLUSTER, "/sa").access()
    assert access.url == "https://10.96.0.1:443"
    assert access.http.bearer_token_file == "/sa/token"
    assert access.http.tls_config == TlsConfig(ca_file="/sa/ca.crt")


def test_ipv6_address_of_the_cluster_is_bracketed() -> None:
    environ = {**IN_CLUSTER, "KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert Surroundings(environ).access().url == "https://[fd00::1]:443"


def test_outside_of_a_cluster_the_message_says_what_to_name() -> None:
    with pytest.raises(DiscoveryError, match="name an api_server or a kubeconfig_file"):
        access_of(KubernetesConfig(role="pod"), Surroundings({}))


def test_api_server_is_reached_with_the_sections_own_client_settings() -> None:
    http = HttpClientConfig(bearer_token="t")
    config = KubernetesConfig(role="pod", api_server="https://api:6443/", http=http)
    access = access_of(config, Surroundings(IN_CLUSTER))
    assert (access.url, access.http) == ("https://api:6443", http)


def test_files_of_a_kubeconfig_are_relative_to_it(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        cluster={"server": "https://k:1", "certificate-authority": "ca.crt", "tls-server-name": "kube"},
        user={"client-certificate": "me.crt", "client-key": "/abs/me.key", "tokenFile": "token"},
    )
    http = kubeconfig_access(file).http
    assert http.bearer_token_file == str(tmp_path / "token")
    assert http.tls_config == TlsConfig(
        ca_file=str(tmp_path / "ca.crt"),
        cert_file=str(tmp_path / "me.crt"),
        key_file="/abs/me.key",
        server_name="kube",
    )


def test_inline_data_of_a_kubeconfig_goes_before_files(tmp_path: Path) -> None:
    def data(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    file = write(
        tmp_path,
        cluster={
            "server": "https://k:1",
            "certificate-authority": "ca.crt",
            "certificate-authority-data": data("CA"),
        },
        user={
            "client-certificate-data": data("CERT"),
            "client-key-data": data("KEY"),
            "username": "me",
            "password": "pw",
        },
    )
    http = kubeconfig_access(file).http
    assert http.tls_config == TlsConfig(ca="CA", cert="CERT", key="KEY")
    assert http.basic_auth == BasicAuth(username="me", password="pw")


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"client-certificate": "me.crt"}, "exactly one of key or key_file must be configured"),
        ({"client-key-data": "%"}, "client-key-data is not base64"),
    ],
)
def test_half_a_certificate_and_broken_data_are_told(
    user: dict[str, str], message: str, tmp_path: Path
) -> None:
    file = write(tmp_path, cluster={"server": "https://k:1"}, user=user)
    with pytest.raises(DiscoveryError, match=f"{file}: {message}"):
        kubeconfig_access(file)


@pytest.mark.parametrize("key", ["exec", "auth-provider"])
def test_credentials_of_plugins_are_refused_by_name(key: str, tmp_path: Path) -> None:
    file = write(tmp_path, cluster={"server": "https://k:1"}, user={key: {"command": "aws"}})
    with pytest.raises(DiscoveryError, match=f'"{key}" credentials are not supported by miniprom'):
        kubeconfig_access(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'context "" is not among the contexts'),
        ("- 1", 'context "" is not among the contexts'),
        ("{", "expected"),
        ("current-context: x\ncontexts: []", 'context "x" is not among the contexts'),
    ],
)
def test_broken_kubeconfig_is_told_with_its_name(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(DiscoveryError, match=message) as raised:
        kubeconfig_access(str(file))
    assert str(file) in str(raised.value)


def test_missing_kubeconfig_is_told() -> None:
    with pytest.raises(DiscoveryError, match="/nowhere: No such file or directory"):
        kubeconfig_access("/nowhere")


def test_own_namespace_is_read_from_the_service_account(tmp_path: Path) -> None:
    (tmp_path / "namespace").write_text("flux-system\n")
    assert Surroundings({}, str(tmp_path)).namespace() == "flux-system"
    (tmp_path / "namespace").write_text("")
    with pytest.raises(DiscoveryError, match="empty file"):
        Surroundings({}, str(tmp_path)).namespace()
