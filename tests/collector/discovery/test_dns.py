"""DNS: messages, resolv.conf, a server on loopback, and the targets of records."""

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.registry import CollectorRegistry

from collector.clock import VirtualClock
from collector.discovery.dns import dns_discovery, record_labels
from collector.discovery.dns_message import TYPES, Answer, Record, decode_answer, encode_question
from collector.discovery.dns_resolver import Resolver, ResolverConfig, parse_resolv_conf
from collector.discovery.metrics import RefreshMetrics
from collector.discovery_config import DnsDiscoveryConfig
from collector.errors import DiscoveryError

SRV = "_http._tcp.example.org."


def wire_name(name: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split(".")) + b"\0"


def answer(
    question: bytes, records: Sequence[tuple[str, bytes]] = (), *, code: int = 0, truncated: bool = False
) -> bytes:
    """The answer of a server: each record's name is a pointer to the question's."""
    end = question.index(b"\0", 12) + 5
    flags = 0x8180 | code | (0x0200 if truncated else 0)
    header = question[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
    body = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", TYPES[type_], 1, 60, len(data)) + data for type_, data in records
    )
    return header + question[12:end] + body


RECORDS = {
    Record("A", "10.0.0.1"): b"\x0a\0\0\x01",
    Record("AAAA", "fd00::1"): b"\xfd" + b"\0" * 14 + b"\x01",
    Record("SRV", "a.example.org.", 9100): struct.pack("!HHH", 0, 5, 9100) + wire_name("a.example.org"),
    Record("MX", "mail.example.org."): struct.pack("!H", 10) + wire_name("mail.example.org"),
    Record("NS", "ns1.example.org."): wire_name("ns1.example.org"),
    Record("CNAME", "other.example.org."): wire_name("other.example.org"),
}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.type)
def test_record_of_each_type_is_read(record: Record) -> None:
    question = encode_question(7, SRV, record.type)
    message = answer(question, [(record.type, RECORDS[record])])
    assert decode_answer(message, 7, SRV, record.type).records == (record,)


def test_question_is_that_of_the_rfc() -> None:
    header = "0007 0100 0001 0000 0000 0001"
    question = "0161 026f 6700 0021 0001"
    larger_answers = "00 0029 1000 00000000 0000"
    assert encode_question(7, "a.og.", "SRV") == bytes.fromhex(header + question + larger_answers)


def test_name_within_a_record_may_point_to_the_question() -> None:
    question = encode_question(7, "example.org.", "NS")
    message = answer(question, [("NS", b"\x03ns1\xc0\x0c")])
    assert decode_answer(message, 7, "example.org.", "NS").records == (Record("NS", "ns1.example.org."),)


def test_pointer_to_itself_is_no_endless_loop() -> None:
    question = encode_question(7, "example.org.", "NS")
    message = answer(question, [("NS", b"\xc0\x29")])
    with pytest.raises(DiscoveryError, match="name has no end"):
        decode_answer(message, 7, "example.org.", "NS")


@pytest.mark.parametrize(("identity", "name"), [(8, SRV), (7, "other.example.org.")])
def test_answer_to_another_question_is_refused(identity: int, name: str) -> None:
    message = answer(encode_question(7, SRV, "SRV"))
    with pytest.raises(DiscoveryError, match="another question"):
        decode_answer(message, identity, name, "SRV")


@given(st.binary(max_size=64), st.integers(0, 80))
def test_damaged_answer_raises_nothing_but_a_discovery_error(noise: bytes, place: int) -> None:
    question = encode_question(7, SRV, "SRV")
    whole = answer(question, [(record.type, data) for record, data in RECORDS.items()])
    damaged = whole[:place] + noise + whole[place + len(noise) // 2 :]
    for message in (damaged, whole[:place], noise):
        try:
            decode_answer(message, 7, SRV, "SRV")
        except DiscoveryError:
            continue


@pytest.mark.parametrize("name", ["a..b.", "x" * 64 + ".", "ä.", "a." * 130])
def test_text_that_is_no_dns_name_is_refused(name: str) -> None:
    with pytest.raises(DiscoveryError, match="is not a DNS name"):
        encode_question(7, name, "A")


def test_names_are_completed_as_resolv_conf_says() -> None:
    config = parse_resolv_conf(
        "nameserver 10.96.0.10\nsearch ns.svc.local svc.local\noptions ndots:5 edns0\n"
    )
    assert config.servers == ("10.96.0.10",)
    assert list(config.names("web")) == ["web.ns.svc.local.", "web.svc.local.", "web."]
    assert list(config.names("a.b.c.d.e.f")) == [
        "a.b.c.d.e.f.",
        "a.b.c.d.e.f.ns.svc.local.",
        "a.b.c.d.e.f.svc.local.",
    ]
    assert list(config.names("web.")) == ["web."]


Serve = Callable[[bytes], bytes]


async def look_up(name: str, type_: str, udp: Serve, tcp: Serve | None = None) -> Sequence[Record]:
    """Ask a server on loopback that answers like this; UDP and TCP have the same port."""

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport: Any = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(b"\0\0stray", addr)
            self.transport.sendto(udp(data), addr)

    async def serve_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readexactly(struct.unpack("!H", await reader.readexactly(2))[0])
        body = (tcp or udp)(question)
        writer.write(struct.pack("!H", len(body)) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve_tcp, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", port))
    try:
        config = ResolverConfig(("127.0.0.1",), ("first.org", "second.org"), 5, port)
        return (await Resolver(config).look_up(name, type_)).records
    finally:
        transport.close()
        server.close()


def test_name_is_looked_up_in_the_search_list() -> None:
    def udp(question: bytes) -> bytes:
        if wire_name("web.second.org") in question:
            return answer(question, [("A", b"\x0a\0\0\x02")])
        return answer(question, code=3)

    assert asyncio.run(look_up("web", "A", udp)) == (Record("A", "10.0.0.2"),)


def test_answer_too_long_for_udp_is_fetched_by_tcp() -> None:
    def udp(question: bytes) -> bytes:
        return answer(question, truncated=True)

    def tcp(question: bytes) -> bytes:
        return answer(question, [("A", b"\x0a\0\0\x03")] * 1000)

    assert len(asyncio.run(look_up("web.", "A", udp, tcp))) == 1000


def test_name_that_does_not_exist_has_no_records() -> None:
    assert asyncio.run(look_up("web", "A", lambda question: answer(question, code=3))) == ()


def test_servers_that_fail_are_an_error() -> None:
    with pytest.raises(DiscoveryError, match='could not resolve "web"'):
        asyncio.run(look_up("web", "A", lambda question: answer(question, code=2)))


@pytest.mark.parametrize(
    ("record", "labels"),
    [
        (
            Record("SRV", "a.example.org.", 9100),
            {
                "__address__": "a.example.org:9100",
                "__meta_dns_name": "n",
                "__meta_dns_srv_record_target": "a.example.org.",
                "__meta_dns_srv_record_port": "9100",
            },
        ),
        (Record("A", "10.0.0.1"), {"__address__": "10.0.0.1:80", "__meta_dns_name": "n"}),
        (Record("AAAA", "fd00::1"), {"__address__": "[fd00::1]:80", "__meta_dns_name": "n"}),
        (
            Record("MX", "m.example.org."),
            {
                "__address__": "m.example.org:80",
                "__meta_dns_name": "n",
                "__meta_dns_mx_record_target": "m.example.org.",
            },
        ),
    ],
)
def test_record_becomes_a_target(record: Record, labels: Mapping[str, str]) -> None:
    assert record_labels(record, "n", 80) == labels


class Names(Resolver):
    """Answers from a mapping; a name that is missing fails."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        super().__init__()
        self.addresses = dict(addresses)

    async def look_up(self, name: str, type_: str) -> Answer:
        if name not in self.addresses:
            raise DiscoveryError("server failure")
        return Answer(0, False, (Record("CNAME", "c."), Record(type_, self.addresses[name])))


def test_name_that_fails_keeps_its_targets_while_others_change() -> None:
    names, registry = Names({"a": "10.0.0.1", "b": "10.0.0.2"}), CollectorRegistry()
    config = DnsDiscoveryConfig(names=("a", "b"), type="A", port=80, refresh_interval_ms=30_000)

    async def story() -> list[str]:
        clock = VirtualClock()
        discovery = dns_discovery(config, names, clock, RefreshMetrics(registry), "job")
        task = asyncio.create_task(discovery.run(lambda: None))
        await clock.advance(1_000)
        del names.addresses["a"]
        names.addresses["b"] = "10.0.0.3"
        await clock.advance(30_000)
        task.cancel()
        return [target["__address__"] for group in discovery.groups() for target in group.targets]

    assert asyncio.run(story()) == ["10.0.0.1:80", "10.0.0.3:80"]
    assert registry.get_sample_value("prometheus_sd_dns_lookups_total") == 4
    assert registry.get_sample_value("prometheus_sd_dns_lookup_failures_total") == 1
