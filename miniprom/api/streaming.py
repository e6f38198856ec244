"""Bodies that may be large: encoded and compressed in a worker, sent piece by piece beyond the first MiB."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from miniprom.api.envelope import JSON
from miniprom.api.workers import Workers

_WHOLE_BYTES = 1 << 20
_WORTH_COMPRESSING_BYTES = 1 << 10
_FASTEST = 1
_GZIP = 31


@dataclass(frozen=True)
class Body:
    """The beginning of a body, and what follows it (None: nothing)."""

    first: bytes
    rest: Iterator[bytes] | None
    is_gzip: bool


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether a client that sends this header can read a compressed answer."""
    clauses = accept_encoding.lower().split(",")
    return any(clause.split(";")[0].strip() == "gzip" and "q=0" not in clause for clause in clauses)


def prepare(pieces: Iterator[bytes], gzip: bool, *, whole: bool = False) -> Body:
    """The body of `pieces`, whole if it is small or has to be. Runs the encoder: call it in a worker."""
    gathered: list[bytes] = []
    size = 0
    rest: Iterator[bytes] | None = pieces
    while whole or size < _WHOLE_BYTES:
        piece = next(pieces, None)
        if piece is None:
            rest = None
            break
        gathered.append(piece)
        size += len(piece)
    first = b"".join(gathered)
    if not gzip or (rest is None and size < _WORTH_COMPRESSING_BYTES):
        return Body(first, rest, is_gzip=False)
    if rest is None:
        return Body(zlib.compress(first, _FASTEST, _GZIP), None, is_gzip=True)
    packer = zlib.compressobj(_FASTEST, wbits=_GZIP)
    return Body(packer.compress(first), _packed(packer, rest), is_gzip=True)


async def send(
    request: web.Request, body: Body, workers: Workers, content_type: str = JSON
) -> web.StreamResponse:
    """Answer with a prepared body."""
    headers = {"Content-Type": content_type}
    if body.is_gzip:
        headers["Content-Encoding"] = "gzip"
    if body.rest is None:
        return web.Response(body=body.first, headers=headers)
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    piece: bytes | None = body.first
    while piece is not None:
        if piece:
            await response.write(piece)
        piece = await workers.run(lambda: next(rest, None)) if (rest := body.rest) else None
    await response.write_eof()
    return response


def _packed(packer: "zlib._Compress", pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
