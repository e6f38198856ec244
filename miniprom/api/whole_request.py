"""Requests that come whole and plain, as nearly all queries do, read in one go.

Whatever is unusual is not read here: aiohttp knows all of HTTP.
"""

import re
from typing import Final, NamedTuple

_MAX_BYTES: Final = 8190
_FORM: Final = b"application/x-www-form-urlencoded"
# RFC 9112 section 3 and RFC 9110 section 5, without what is optional in them.
_HEAD: Final = re.compile(
    rb"(GET|POST) (/[!\"$-~]*) HTTP/1\.1\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n)+)\r\n"
)
_DECIDE_ON_FRAMING: Final = (b"transfer-encoding", b"content-encoding", b"expect", b"upgrade")


class WholeRequest(NamedTuple):
    """A request; `forms` are its URL-encoded parameters: those of the body, then those of the URL."""

    path: str
    forms: list[bytes]
    headers: dict[bytes, bytes]
    """By names in small letters."""


def whole_request(data: bytes) -> WholeRequest | None:
    """The request that `data` is, from its first to its last byte; None if it isn't a plain one."""
    if len(data) > _MAX_BYTES:
        return None
    head = _HEAD.match(data)
    if head is None:
        return None
    method, target, fields = head.groups()
    lines = fields.split(b"\r\n")[:-1]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    if len(headers) != len(lines) or not _is_plain(headers):
        return None
    path, _, query = target.partition(b"?")
    body = data[head.end() :]
    forms = [query]
    if method == b"POST":
        if headers.get(b"content-type") != _FORM or headers.get(b"content-length") != b"%d" % len(body):
            return None
        forms.insert(0, body)
    elif body or b"content-length" in headers:
        return None
    return WholeRequest(path.decode(), forms, headers)


def _is_plain(headers: dict[bytes, bytes]) -> bool:
    if headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return False
    return not any(name in headers for name in _DECIDE_ON_FRAMING)
