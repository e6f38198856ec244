"""Which proxy a request goes through. Expected: the documentation of Go's httpproxy.Config."""

import pytest

from collector.proxy import ProxyRules, rules_from

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("", "http://example.com/", False),
        ("*", "http://example.com/", True),
        ("example.com", "http://example.com/", True),
        ("example.com", "http://EXAMPLE.com./", True),
        ("example.com", "http://www.example.com/", True),
        ("example.com", "http://myexample.com/", False),
        (".example.com", "http://www.example.com/", True),
        (".example.com", "http://example.com/", False),
        ("*.example.com", "http://www.example.com/", True),
        ("*.example.com", "http://example.com/", False),
        ("example.com:8080", "http://example.com:8080/", True),
        ("example.com:8080", "http://example.com/", False),
        ("example.com:80", "http://example.com/", True),
        ("example.com:443", "https://example.com/", True),
        ("10.0.0.1", "http://10.0.0.1:9090/", True),
        ("10.0.0.1:80", "http://10.0.0.1:9090/", False),
        ("10.0.0.0/8", "http://10.2.3.4/", True),
        ("10.0.0.0/8", "http://11.2.3.4/", False),
        ("10.0.0.0/8", "http://example.com/", False),
        ("not/a/network", "http://10.0.0.1/", False),
        ("fd00::1", "http://[fd00::1]:80/", True),
        ("[fd00::1]:81", "http://[fd00::1]:80/", False),
        ("fd00::/8", "http://[fd00::1]/", True),
        (" a.org , example.com ,", "http://example.com/", True),
    ],
)
def test_no_proxy_names_hosts_that_are_asked_directly(no_proxy: str, url: str, is_direct: bool) -> None:
    assert ProxyRules(PROXY, PROXY, no_proxy).proxy_for(url) == ("" if is_direct else PROXY)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9:80", "[::1]"])
def test_machine_itself_is_asked_directly(host: str) -> None:
    assert ProxyRules(PROXY, PROXY).proxy_for(f"http://{host}/") == ""


def test_environment_has_a_proxy_for_each_scheme() -> None:
    rules = rules_from({"HTTP_PROXY": "one:1", "https_proxy": "http://two:2", "NO_PROXY": "c.org"})
    assert rules.proxy_for("http://a.org/") == "http://one:1"
    assert rules.proxy_for("https://a.org/") == "http://two:2"
    assert rules.proxy_for("https://c.org/") == ""


def test_name_in_capitals_goes_first() -> None:
    assert rules_from({"HTTP_PROXY": "http://A", "http_proxy": "http://b"}).http == "http://A"
