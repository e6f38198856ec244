"""A body as it comes in, piece by piece, uncompressed and bounded. No I/O."""

import zlib
from typing import Final

from collector.errors import BodySizeError, ScrapeError

MAX_BODY_BYTES: Final = 1 << 30
"""What a body may grow to where no limit is configured: a target must not take the whole memory."""

_GZIP_WINDOW_BITS: Final = 31
_PIECE_BYTES: Final = 1 << 20
"""Unpacked at once: a small body may hold a very large one."""


class Body:
    """Gathers pieces. A body of just the limit is too large already, as upstream has it; 0 is no limit."""

    def __init__(self, limit_bytes: int, *, is_gzip: bool) -> None:
        self._limit_bytes = limit_bytes or MAX_BODY_BYTES
        self._size = 0
        self._pieces: list[bytes] = []
        self._unzip = zlib.decompressobj(_GZIP_WINDOW_BITS) if is_gzip else None

    def add(self, piece: bytes) -> None:
        """Raises `BodySizeError`, and `ScrapeError` for what is no gzip."""
        if self._unzip is None:
            self._keep(piece)
            return
        while piece:
            try:
                self._keep(self._unzip.decompress(piece, _PIECE_BYTES))
            except zlib.error as error:
                raise ScrapeError("gzip: invalid header or body") from error
            piece = self._unzip.unconsumed_tail
            if self._unzip.eof and self._unzip.unused_data:
                piece, self._unzip = self._unzip.unused_data, zlib.decompressobj(_GZIP_WINDOW_BITS)

    def end(self) -> bytes:
        """All of it. Raises `ScrapeError` if its gzip lacks an end."""
        if self._unzip is not None and not self._unzip.eof:
            raise ScrapeError("unexpected EOF")
        return b"".join(self._pieces)

    def _keep(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= self._limit_bytes:
            raise BodySizeError
