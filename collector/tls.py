"""TLS of an HTTP client: contexts made of certificates in files or in the configuration itself."""

import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

from collector.errors import ScrapeError
from collector.http_config import TlsConfig, TlsVersion

_VERSIONS: Final[Mapping[TlsVersion, ssl.TLSVersion]] = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
# Always in memory, and writable even where the root file system is not.
_SHARED_MEMORY: Final = "/dev/shm"

_Signature = tuple[tuple[int, int, int], ...]


class TlsContexts:
    """The context of a configuration, made anew when one of its files changes: certificates rotate."""

    def __init__(self, config: TlsConfig) -> None:
        self._config = config
        self._files = [name for name in (config.ca_file, config.cert_file, config.key_file) if name]
        self._signature: _Signature | None = None
        self._context: ssl.SSLContext | bool = True

    def current(self) -> ssl.SSLContext | bool:
        """The context for the next request; True for aiohttp's own. Raises `ScrapeError`."""
        if self._config == TlsConfig():
            # Each context with the system's certificates takes 20 ms and 0.8 MB; aiohttp has one already.
            return True
        signature = self._sign()
        if signature != self._signature:
            self._context = tls_context(self._config)
            self._signature = signature
        return self._context

    def _sign(self) -> _Signature:
        try:
            found = [os.stat(name) for name in self._files]
        except OSError as error:
            raise _unusable(error) from error
        return tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in found)


def tls_context(config: TlsConfig) -> ssl.SSLContext:
    """The TLS settings of a client. Raises `ScrapeError` for certificates that can't be used."""
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None, cadata=config.ca or None)
        if config.has_certificate:
            _load_certificate(context, config)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(error) from error
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if config.min_version:
        context.minimum_version = _VERSIONS[config.min_version]
    if config.max_version:
        context.maximum_version = _VERSIONS[config.max_version]
    return context


def _load_certificate(context: ssl.SSLContext, config: TlsConfig) -> None:
    with ExitStack() as stack:
        given = ((config.cert_file, config.cert), (config.key_file, config.key))
        cert, key = (name or stack.enter_context(_file_of(text)) for name, text in given)
        context.load_cert_chain(cert, key)


@contextmanager
def _file_of(text: str) -> Iterator[str]:
    """The name of a file that is gone after its use: OpenSSL reads certificates and keys from files only."""
    folder = _SHARED_MEMORY if os.path.isdir(_SHARED_MEMORY) else None
    with tempfile.NamedTemporaryFile("w", dir=folder) as file:
        file.write(text)
        file.flush()
        yield file.name


def _unusable(error: OSError) -> ScrapeError:
    return ScrapeError(f"unable to use the certificates of tls_config: {error}")
