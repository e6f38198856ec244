"""The answer to a GET, read from pieces as they come. No I/O. RFC 9112; as lenient as Go about line ends."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from collector.errors import HttpError
from collector.http1.body import Body

_MAX_HEAD_BYTES: Final = 1 << 16
_MAX_LINE_BYTES: Final = 1 << 12
_OK: Final = 200

# token = 1*tchar
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"

# field-line = field-name ":" OWS field-value OWS; no line folding
_FIELD: Final = re.compile(rb"(%b):[ \t]*+([^\r\n\0]*+)\r?\n" % _TOKEN)

# head = HTTP-version SP 3DIGIT [ SP reason ] line-end *( field-line ) line-end
_HEAD: Final = re.compile(
    rb"HTTP/1\.([0-9]) ([0-9]{3})(?: ([^\r\n\0]*+))?+\r?\n((?:%b:[^\r\n\0]*+\r?\n)*+)\r?\n" % _TOKEN
)
_HEAD_END: Final = re.compile(rb"\n\r?\n")
_VERSION: Final = b"HTTP/1."

# chunk-size = 1*HEXDIG [ OWS ";" any but line ends ] line-end; a body of 2**60 bytes is none
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*+(?:;[^\r\n]*+)?+\r?\n")
_LINE_END: Final = re.compile(rb"\r?\n")
_TRAILER: Final = re.compile(rb"(?:%b:[^\r\n\0]*+)?+\r?\n" % _TOKEN)

_DIGITS: Final = re.compile(rb"[0-9]{1,18}")


class Head(NamedTuple):
    """The status line, and the values of each header field by its name in lower case."""

    status: int
    reason: str
    is_http_1_0: bool
    fields: dict[bytes, list[bytes]]

    def first(self, name: bytes) -> bytes:
        """The first value of a field, or nothing."""
        return self.fields.get(name, [b""])[0]

    def items(self, name: bytes) -> list[bytes]:
        """The parts of a field that is a list, in lower case."""
        values = self.fields.get(name)
        if not values:
            return []
        return [item for part in b",".join(values).split(b",") if (item := part.strip(b" \t").lower())]


class ResponseReader:
    """Reads one response: `feed` it until it is complete, or until the connection ends.

    A step takes what it can of the data, and says whether the next may go on; there is none after the last.
    Only the body of status 200 is read: after another the connection is of no more use.
    """

    def __init__(self, limit_bytes: int) -> None:
        """`limit_bytes`: what the body may take, uncompressed; see `Body`."""
        self.head: Head | None = None
        self.body = Body(limit_bytes, is_gzip=False)
        self._persists = False
        self._limit_bytes = limit_bytes
        self._data = b""
        self._at = 0
        self._searched = 0
        self._left = 0
        self._step: Callable[[], bool] | None = self._read_head

    @property
    def can_reuse(self) -> bool:
        """Whether all is read, and another response may follow on the connection."""
        return self._step is None and self._persists

    @property
    def has_begun(self) -> bool:
        """Whether anything came."""
        return self.head is not None or bool(self._data)

    def feed(self, data: bytes) -> bool:
        """Take what came; whether the response is complete. Raises `HttpError`, and what `Body` raises."""
        self._data = self._data[self._at :] + data
        self._searched = max(0, self._searched - self._at)
        self._at = 0
        while self._step and self._step():
            pass
        if self._step is None and self._at < len(self._data):
            self._persists = False  # more than was asked for
        return self._step is None

    def end(self) -> None:
        """The connection has ended, which is right for a body without a length. Raises `HttpError`."""
        if self._step != self._read_to_the_end:
            raise HttpError("unexpected EOF" if self.has_begun else "EOF")

    def _read_head(self) -> bool:
        data = self._data
        if not data.startswith(_VERSION[: len(data) - self._at], self._at):
            raise HttpError(f"malformed HTTP response {_shown(data[self._at :])}")
        end = _HEAD_END.search(data, max(self._at, self._searched - 2))
        if end is None or end.end() > _MAX_HEAD_BYTES:
            if len(data) - self._at > _MAX_HEAD_BYTES:
                raise HttpError("server response headers exceeded 65536 bytes; aborted")
            self._searched = len(data)
            return False
        match = _HEAD.match(data, self._at)
        if match is None:
            raise HttpError(f"malformed HTTP response {_shown(data[self._at :])}")
        self._at = match.end()
        version, status, reason, lines = match.groups(b"")
        fields: dict[bytes, list[bytes]] = {}
        for name, value in _FIELD.findall(lines):
            fields.setdefault(name.lower(), []).append(value.rstrip(b" \t"))
        self._begin_body(Head(int(status), reason.decode("latin-1"), version == b"0", fields))
        return True

    def _begin_body(self, head: Head) -> None:
        if head.status < _OK:
            return  # an interim response: the one that counts follows
        self.head = head
        if head.status != _OK:
            self._step = None
            return
        connection = head.items(b"connection")
        self._persists = b"close" not in connection and (not head.is_http_1_0 or b"keep-alive" in connection)
        self.body = Body(self._limit_bytes, is_gzip=head.first(b"content-encoding") == b"gzip")
        coding = head.items(b"transfer-encoding")
        if coding:
            if coding != [b"chunked"]:
                raise HttpError(f"unsupported transfer encoding: {_shown(b', '.join(coding))}")
            if b"content-length" in head.fields:
                self._persists = False  # RFC 9112, 6.1: somebody between may have seen another end
            self._step = self._read_chunk_size
            return
        lengths = set(head.items(b"content-length"))
        if not lengths:
            self._persists = False
            self._step = self._read_to_the_end
            return
        length = lengths.pop()
        if lengths or not _DIGITS.fullmatch(length):
            raise HttpError(f"bad Content-Length {_shown(length)}")
        self._left = int(length)
        self._step = self._read_fixed if self._left else None

    def _read_fixed(self) -> bool:
        if self._take_piece() and not self._left:
            self._step = None
        return False

    def _read_to_the_end(self) -> bool:
        self._left = len(self._data)
        self._take_piece()
        return False

    def _read_chunk_size(self) -> bool:
        match = self._line(_CHUNK_SIZE)
        if match:
            self._left = int(match[1], 16)
            self._step = self._read_chunk if self._left else self._read_trailer
        return match is not None

    def _read_chunk(self) -> bool:
        if not self._take_piece():
            return False
        if not self._left:
            self._step = self._read_chunk_end
        return True

    def _read_chunk_end(self) -> bool:
        match = self._line(_LINE_END)
        if match:
            self._step = self._read_chunk_size
        return match is not None

    def _read_trailer(self) -> bool:
        match = self._line(_TRAILER)
        if match and not match[0].strip():
            self._step = None
        return match is not None

    def _take_piece(self) -> bool:
        """Pass on what there is of the `_left` bytes; whether there was any."""
        piece = self._data[self._at : self._at + self._left]
        self._at += len(piece)
        self._left -= len(piece)
        if piece:
            self.body.add(piece)
        return bool(piece)

    def _line(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """The line that follows, once it is there. Raises `HttpError` if it is not of the pattern."""
        match = pattern.match(self._data, self._at)
        if match:
            self._at = match.end()
        elif b"\n" in self._data[self._at :] or len(self._data) - self._at > _MAX_LINE_BYTES:
            raise HttpError(f"malformed chunked encoding: {_shown(self._data[self._at :])}")
        return match


def _shown(data: bytes) -> str:
    return repr(data[:50].decode("latin-1"))
