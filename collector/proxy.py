"""Which proxy a request goes through. No I/O.

The rules of `no_proxy` are those of Go's golang.org/x/net/http/httpproxy, which upstream uses.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ProxyRules:
    """A proxy for each scheme ("": none), and which hosts are asked directly: names, addresses, networks."""

    http: str = ""
    https: str = ""
    no_proxy: str = ""

    def proxy_for(self, url: str) -> str:
        """The proxy's URL, or "" to connect directly. The machine itself is always asked directly."""
        parts = urlsplit(url)
        proxy = self.https if parts.scheme == "https" else self.http
        host = (parts.hostname or "").lower().rstrip(".")
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        if not proxy or host == "localhost" or _is_loopback(host):
            return ""
        return "" if any(_matches(item, host, port) for item in self._exceptions) else proxy

    @cached_property
    def _exceptions(self) -> tuple[str, ...]:
        items = (item.strip().lower() for item in self.no_proxy.split(","))
        return tuple(item for item in items if item)


def rules_from(environ: Mapping[str, str]) -> ProxyRules:
    """The proxies of an environment; a name in capitals goes before the same in small letters."""
    found = {name: environ.get(name.upper()) or environ.get(name, "") for name in _VARIABLES}
    http, https, no_proxy = (found[name] for name in _VARIABLES)
    return ProxyRules(_with_scheme(http), _with_scheme(https), no_proxy)


_VARIABLES: Final = ("http_proxy", "https_proxy", "no_proxy")


def _with_scheme(proxy: str) -> str:
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _matches(item: str, host: str, port: int) -> bool:
    """Whether one item of `no_proxy` names a host."""
    if item == "*":
        return True
    if "/" in item:
        return _is_in_network(host, item)
    name, wanted_port = _split_port(item)
    if wanted_port and wanted_port != str(port):
        return False
    if _address(name):
        return _address(name) == _address(host)
    domain = name.removeprefix("*").lstrip(".")
    # A leading dot leaves out the domain itself.
    return host.endswith(f".{domain}") or (host == domain and not name.startswith((".", "*.")))


def _split_port(item: str) -> tuple[str, str]:
    if item.startswith("["):
        name, _, port = item[1:].partition("]")
        return name, port.removeprefix(":")
    name, colon, port = item.rpartition(":")
    return (name, port) if colon and ":" not in name else (item, "")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_loopback


def _is_in_network(host: str, network: str) -> bool:
    address = _address(host)
    try:
        return address is not None and address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
