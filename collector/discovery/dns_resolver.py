"""Asks DNS servers, as /etc/resolv.conf says."""

import asyncio
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from collector.discovery.dns_message import (
    NAME_ERROR,
    NO_ERROR,
    Answer,
    decode_answer,
    encode_question,
)
from collector.errors import DiscoveryError

RESOLV_CONF: Final = "/etc/resolv.conf"
_TIMEOUT_SECONDS: Final = 2.0
_PORT: Final = 53


@dataclass(frozen=True)
class ResolverConfig:
    """What of resolv.conf matters here."""

    servers: tuple[str, ...] = ("127.0.0.1",)
    search: tuple[str, ...] = ()
    ndots: int = 1
    port: int = _PORT

    def names(self, name: str) -> Iterator[str]:
        """The fully qualified names to try; a name with few dots is completed first, and tried last."""
        if name.endswith("."):
            yield name
            return
        completed = [f"{name}.{domain.rstrip('.')}." for domain in self.search]
        own = [name + "."]
        yield from [*own, *completed] if name.count(".") >= self.ndots else [*completed, *own]


def parse_resolv_conf(text: str) -> ResolverConfig:
    """The settings of a resolv.conf; what it does not say has its default."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    ndots = 1
    for words in (line.split() for line in text.splitlines()):
        match words:
            case ["nameserver", server, *_]:
                servers.append(server)
            case ["domain" | "search", *domains]:
                search = tuple(domains)
            case ["options", *options]:
                for option in options:
                    if option.startswith("ndots:") and option[6:].isdigit():
                        ndots = min(15, int(option[6:]))
            case _:
                pass
    return ResolverConfig(tuple(servers) or ("127.0.0.1",), search, ndots)


class Resolver:
    """Looks names up with the settings of a file, read for each look-up, or with fixed ones."""

    def __init__(self, config: ResolverConfig | None = None) -> None:
        self._config = config

    async def look_up(self, name: str, type_: str) -> Answer:
        """The records of a name; none if it does not exist. Raises `DiscoveryError` if nobody could tell."""
        config = self._config or _read_config()
        all_answered = True
        for full_name in config.names(name):
            answer = await self._ask_any(config, full_name, type_)
            if answer is None:
                all_answered = False
            elif answer.code == NO_ERROR:
                return answer
        if all_answered:
            return Answer(NAME_ERROR, False, ())
        raise DiscoveryError(f'could not resolve "{name}": no server gave a usable answer')

    async def _ask_any(self, config: ResolverConfig, name: str, type_: str) -> Answer | None:
        for server in config.servers:
            try:
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    answer = await _ask(server, config.port, name, type_)
            except (OSError, TimeoutError, DiscoveryError, asyncio.IncompleteReadError):
                continue
            if answer.code in (NO_ERROR, NAME_ERROR):
                return answer
        return None


async def _ask(server: str, port: int, name: str, type_: str) -> Answer:
    """By UDP, and by TCP if the answer is too long for that."""
    identity = random.getrandbits(16)
    question = encode_question(identity, name, type_)
    answer = decode_answer(await _exchange_udp(server, port, question), identity, name, type_)
    if answer.is_truncated:
        answer = decode_answer(await _exchange_tcp(server, port, question), identity, name, type_)
    return answer


async def _exchange_udp(server: str, port: int, question: bytes) -> bytes:
    answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _OneAnswer(answered, question[:2]), remote_addr=(server, port)
    )
    try:
        transport.sendto(question)
        return await answered
    finally:
        transport.close()


async def _exchange_tcp(server: str, port: int, question: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(server, port)
    try:
        writer.write(struct.pack("!H", len(question)) + question)
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        return await reader.readexactly(length)
    finally:
        writer.close()


class _OneAnswer(asyncio.DatagramProtocol):
    """Waits for the datagram with the question's identity; others are strays or forged."""

    def __init__(self, answered: asyncio.Future[bytes], identity: bytes) -> None:
        self._answered = answered
        self._identity = identity

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:  # noqa: ARG002  # asyncio's
        if data[:2] == self._identity and not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, error: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(error)


def _read_config() -> ResolverConfig:
    try:
        with open(RESOLV_CONF, encoding="utf-8") as file:
            return parse_resolv_conf(file.read())
    except OSError as error:
        raise DiscoveryError(f"could not load {RESOLV_CONF}: {error.strerror}") from error
