"""DNS messages as bytes: a question, and the records of an answer. Pure. Source: RFC 1035, 2782 and 6891."""

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from collector.errors import DiscoveryError

TYPES: Final = {"A": 1, "NS": 2, "CNAME": 5, "MX": 15, "AAAA": 28, "SRV": 33}
NO_ERROR: Final = 0
NAME_ERROR: Final = 3
UDP_BYTES: Final = 4096

_TYPE_NAMES: Final = {number: name for name, number in TYPES.items()}
_INTERNET: Final = 1
_OPT: Final = 41
_HEADER: Final = struct.Struct("!HHHHHH")
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
_IS_ANSWER, _IS_TRUNCATED, _RECURSION_DESIRED = 1 << 15, 1 << 9, 1 << 8
_MAX_NAME: Final = 253
_MAX_JUMPS: Final = 128


@dataclass(frozen=True)
class Record:
    """A resource record: `target` is an address or a name, `port` is 0 but for SRV."""

    type: str
    target: str
    port: int = 0


@dataclass(frozen=True)
class Answer:
    """What a server says; `records` are those of the kinds in `TYPES`."""

    code: int
    is_truncated: bool
    records: tuple[Record, ...]


def encode_question(identity: int, name: str, type_: str) -> bytes:
    """A recursive question for a fully qualified name. Raises `DiscoveryError` for what can't be a name."""
    header = _HEADER.pack(identity, _RECURSION_DESIRED, 1, 0, 0, 1)
    larger_answers = b"\0" + _QUESTION.pack(_OPT, UDP_BYTES) + struct.pack("!IH", 0, 0)
    return header + _encode_name(name) + _QUESTION.pack(TYPES[type_], _INTERNET) + larger_answers


def decode_answer(message: bytes, identity: int, name: str, type_: str) -> Answer:
    """The answer to a question. Raises `DiscoveryError` if it is broken, or that to another question."""
    try:
        got, flags, questions, answers, _, _ = _HEADER.unpack_from(message)
        if got != identity or not flags & _IS_ANSWER:
            raise DiscoveryError("DNS answer to another question")
        offset = _HEADER.size
        for _ in range(questions):
            asked, offset = _name(message, offset)
            kind, _ = _QUESTION.unpack_from(message, offset)
            offset += _QUESTION.size
            if asked.lower() != name.rstrip(".").lower() or kind != TYPES[type_]:
                raise DiscoveryError("DNS answer to another question")
        records = tuple(_records(message, offset, answers))
    except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
        raise DiscoveryError(f"broken DNS answer: {error}") from error
    return Answer(flags & 0xF, bool(flags & _IS_TRUNCATED), records)


def _records(message: bytes, offset: int, count: int) -> Iterator[Record]:
    for _ in range(count):
        _, offset = _name(message, offset)
        kind, _, _, length = _RECORD.unpack_from(message, offset)
        offset += _RECORD.size
        data = message[offset : offset + length]
        if len(data) < length:
            raise IndexError("record is cut off")
        match _TYPE_NAMES.get(kind):
            case "A":
                yield Record("A", str(ipaddress.IPv4Address(data)))
            case "AAAA":
                yield Record("AAAA", str(ipaddress.IPv6Address(data)))
            case "SRV":
                (port,) = struct.unpack_from("!H", data, 4)
                yield Record("SRV", _name(message, offset + 6)[0] + ".", port)
            case "MX":
                yield Record("MX", _name(message, offset + 2)[0] + ".")
            case "NS" | "CNAME" as type_:
                yield Record(type_, _name(message, offset)[0] + ".")
            case _:
                pass
        offset += length


def _encode_name(name: str) -> bytes:
    try:
        labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    except UnicodeEncodeError as error:
        raise DiscoveryError(f'"{name}" is not a DNS name') from error
    if len(name) > _MAX_NAME or not all(0 < len(label) < 64 for label in labels):
        raise DiscoveryError(f'"{name}" is not a DNS name')
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _name(message: bytes, offset: int) -> tuple[str, int]:
    """The name at an offset, and where what follows it begins. Names end in pointers to earlier ones."""
    labels: list[str] = []
    end = None
    for _ in range(_MAX_JUMPS):
        length = message[offset]
        if length >= 0xC0:
            end = offset + 2 if end is None else end
            offset = (length & 0x3F) << 8 | message[offset + 1]
        elif length:
            label = message[offset + 1 : offset + 1 + length]
            labels.append(label.decode("ascii"))
            offset += 1 + length
        else:
            return ".".join(labels), offset + 1 if end is None else end
    raise ValueError("name has no end")
