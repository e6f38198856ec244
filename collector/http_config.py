"""How an HTTP client authenticates and connects: upstream's http_config, inline in jobs and discoveries."""

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec

from collector.errors import ConfigError
from collector.schema import FileName, Kind, Secret, Section

TlsVersion = Literal["", "TLS10", "TLS11", "TLS12", "TLS13"]

_RESERVED_HEADERS: Final = frozenset(
    {
        "authorization", "host", "content-encoding", "content-length", "content-type", "user-agent",
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "www-authenticate",
        "accept-encoding", "x-prometheus-remote-write-version", "x-prometheus-remote-read-version",
        "x-prometheus-scrape-timeout-seconds", "accept",
    }
)  # fmt: skip


def _at_most_one(section: Section, first: str, second: str, *, section_name: str = "") -> None:
    if getattr(section, first) and getattr(section, second):
        raise ConfigError(f"at most one of {section_name}{first} & {second} must be configured", key=second)


class BasicAuth(Section, frozen=True, kw_only=True):
    """`basic_auth`."""

    username: str = ""
    username_file: FileName = ""
    password: Secret = ""
    password_file: FileName = ""

    def __post_init__(self) -> None:
        _at_most_one(self, "username", "username_file", section_name="basic_auth ")
        _at_most_one(self, "password", "password_file", section_name="basic_auth ")


class Authorization(Section, frozen=True, kw_only=True):
    """`authorization`: an Authorization header of any type but basic."""

    type: str = "Bearer"
    credentials: Secret = ""
    credentials_file: FileName = ""

    def __post_init__(self) -> None:
        _at_most_one(self, "credentials", "credentials_file", section_name="authorization ")
        if self.type.strip().lower() == "basic":
            raise ConfigError('authorization type cannot be set to "basic", use "basic_auth" instead')


class TlsConfig(Section, frozen=True, kw_only=True):
    """`tls_config`."""

    unsupported: ClassVar[frozenset[str]] = frozenset({"cert", "key"})

    ca: str = ""
    ca_file: FileName = ""
    cert_file: FileName = ""
    key_file: FileName = ""
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: TlsVersion = ""
    max_version: TlsVersion = ""

    def __post_init__(self) -> None:
        _at_most_one(self, "ca", "ca_file")
        if bool(self.cert_file) != bool(self.key_file):
            given, missing = ("cert", "key") if self.cert_file else ("key", "cert")
            raise ConfigError(f"{missing}_file must be configured where {given}_file is", key=f"{given}_file")


class HttpHeader(Section, frozen=True, kw_only=True):
    """The values of one custom request header."""

    values: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    files: tuple[FileName, ...] = ()


class HttpClientConfig(Section, frozen=True, kw_only=True):
    """`http_config`."""

    unsupported: ClassVar[frozenset[str]] = frozenset({"oauth2", "no_proxy", "proxy_connect_header"})

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    bearer_token: Secret = ""
    bearer_token_file: FileName = ""
    tls_config: TlsConfig = TlsConfig()
    follow_redirects: bool = True
    enable_http2: bool = True
    proxy_url: str = ""
    proxy_from_environment: bool = False
    http_headers: dict[str, HttpHeader] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        _at_most_one(self, "bearer_token", "bearer_token_file")
        if self.basic_auth and (self.bearer_token or self.bearer_token_file):
            raise ConfigError(
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be set"
            )
        if self.authorization and (self.bearer_token or self.bearer_token_file):
            raise ConfigError("authorization is not compatible with bearer_token & bearer_token_file")
        if self.authorization and self.basic_auth:
            raise ConfigError("at most one of basic_auth, oauth2 & authorization must be configured")
        if self.proxy_url and self.proxy_from_environment:
            raise ConfigError("if proxy_from_environment is configured, proxy_url must not be configured")
        for name in self.http_headers:
            if name.lower() in _RESERVED_HEADERS:
                raise ConfigError(f'setting header "{name}" is not allowed', key="http_headers")

    @property
    def bearer(self) -> Authorization | None:
        """The Authorization header to send, whichever of the two spellings was used."""
        if self.bearer_token or self.bearer_token_file:
            return Authorization(credentials=self.bearer_token, credentials_file=self.bearer_token_file)
        return self.authorization


InlineHttpConfig: TypeAlias = Annotated[HttpClientConfig, Kind.INLINE]
