"""How an HTTP client authenticates and connects: upstream's http_config, inline in jobs and discoveries."""

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec

from collector.errors import ConfigError
from collector.schema import FileName, Kind, Secret, Section, Url

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

    ca: str = ""
    ca_file: FileName = ""
    cert: str = ""
    cert_file: FileName = ""
    key: Secret = ""
    key_file: FileName = ""
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: TlsVersion = ""
    max_version: TlsVersion = ""

    def __post_init__(self) -> None:
        for name in ("ca", "cert", "key"):
            _at_most_one(self, name, f"{name}_file")
        if self.has_certificate != bool(self.key or self.key_file):
            given, missing = ("certificate", "key") if self.has_certificate else ("key", "certificate")
            option = "cert" if missing == "certificate" else missing
            message = f"exactly one of {option} or {option}_file must be configured"
            raise ConfigError(f"{message} when a client {given} is configured")

        if self.min_version and self.max_version and self.max_version < self.min_version:
            raise ConfigError("max_version must not be below min_version", key="max_version")

    @property
    def has_certificate(self) -> bool:
        """Whether the client shows a certificate."""
        return bool(self.cert or self.cert_file)


class HttpHeader(Section, frozen=True, kw_only=True):
    """The values of one custom request header."""

    values: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    files: tuple[FileName, ...] = ()


class ProxySettings(Section, frozen=True, kw_only=True):
    """Keys of `http_config` and of `oauth2`."""

    proxy_url: Url = ""
    no_proxy: str = ""
    proxy_from_environment: bool = False
    proxy_connect_header: dict[str, tuple[Secret, ...]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.proxy_from_environment:
            for name in ("proxy_url", "no_proxy"):
                if getattr(self, name):
                    message = f"if proxy_from_environment is configured, {name} must not be configured"
                    raise ConfigError(message, key=name)
        elif not self.proxy_url:
            if self.proxy_connect_header:
                message = (
                    "if proxy_connect_header is configured, proxy_url or proxy_from_environment must be, too"
                )
                raise ConfigError(message, key="proxy_connect_header")
            if self.no_proxy:
                message = "if no_proxy is configured, proxy_url must also be configured"
                raise ConfigError(message, key="no_proxy")


class OAuth2Config(ProxySettings, frozen=True, kw_only=True):
    """`oauth2`: client credentials."""

    unsupported: ClassVar[frozenset[str]] = frozenset(
        {
            "grant_type", "client_certificate_key_id", "client_certificate_key",
            "client_certificate_key_file", "signature_algorithm", "iss", "audience", "claims",
        }
    )  # fmt: skip

    client_id: str = ""
    client_secret: Secret = ""
    client_secret_file: FileName = ""
    scopes: tuple[str, ...] = ()
    token_url: Url = ""
    endpoint_params: dict[str, str] = msgspec.field(default_factory=dict)
    tls_config: TlsConfig = TlsConfig()

    def __post_init__(self) -> None:
        ProxySettings.__post_init__(self)
        _at_most_one(self, "client_secret", "client_secret_file", section_name="oauth2 ")
        for name in ("client_id", "token_url"):
            if not getattr(self, name):
                raise ConfigError(f"oauth2 {name} must be configured")

    def as_client(self) -> "HttpClientConfig":
        """The settings with which tokens are asked for."""
        return HttpClientConfig(
            tls_config=self.tls_config,
            **{info.name: getattr(self, info.name) for info in msgspec.structs.fields(ProxySettings)},
        )


class HttpClientConfig(ProxySettings, frozen=True, kw_only=True):
    """`http_config`. HTTP/1.1 is spoken whatever `enable_http2` says."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    oauth2: OAuth2Config | None = None
    bearer_token: Secret = ""
    bearer_token_file: FileName = ""
    tls_config: TlsConfig = TlsConfig()
    follow_redirects: bool = True
    enable_http2: bool = True
    http_headers: dict[str, HttpHeader] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        ProxySettings.__post_init__(self)
        _at_most_one(self, "bearer_token", "bearer_token_file")
        has_bearer_token = bool(self.bearer_token or self.bearer_token_file)
        if has_bearer_token and (self.basic_auth or self.oauth2):
            raise ConfigError(
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be set"
            )
        if has_bearer_token and self.authorization:
            raise ConfigError("authorization is not compatible with bearer_token & bearer_token_file")
        if sum(map(bool, (self.basic_auth, self.oauth2, self.authorization))) > 1:
            raise ConfigError("at most one of basic_auth, oauth2 & authorization must be configured")
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
