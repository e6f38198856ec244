import gzip
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import BodySizeError, CollectorError, HttpError, ScrapeError
from collector.http1.response import ResponseReader

Outcome = tuple[str, int, bytes, bool]


def read(pieces: Iterable[bytes], *, limit_bytes: int = 1 << 20) -> Outcome:
    """How reading ends: an error's text, the status, the body, and whether the connection persists."""
    reader = ResponseReader(limit_bytes)
    try:
        if not any(list(map(reader.feed, pieces))):
            reader.end()
        return "", reader.head.status if reader.head else 0, reader.body.end(), reader.can_reuse
    except CollectorError as error:
        return str(error), 0, b"", False


def response(*fields: str, body: bytes = b"", status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([status, *fields, "", ""]).encode() + body


def test_body_of_a_given_length_ends_there_and_the_connection_persists() -> None:
    assert read([response("Content-Length: 4", body=b"m 1\n")]) == ("", 200, b"m 1\n", True)


def test_empty_body_is_complete_with_its_head() -> None:
    assert read([response("Content-Length: 0")]) == ("", 200, b"", True)


def test_body_without_a_length_lasts_until_the_connection_ends() -> None:
    assert read([response(body=b"m 1\n"), b"m 2\n"]) == ("", 200, b"m 1\nm 2\n", False)


def test_chunks_are_joined_without_their_extensions_and_trailers() -> None:
    body = b"3;a=b\r\nm 1\r\n1\r\n\n\r\n0\r\nX-Sum: 5\r\n\r\n"
    assert read([response("Transfer-Encoding: chunked", body=body)]) == ("", 200, b"m 1\n", True)


def test_chunks_prevail_over_a_length_but_such_a_connection_is_not_trusted_again() -> None:
    """RFC 9112, section 6.1."""
    head = response("Transfer-Encoding: chunked", "Content-Length: 1", body=b"2\r\nab\r\n0\r\n\r\n")
    assert read([head]) == ("", 200, b"ab", False)


def test_status_other_than_200_ends_with_its_head() -> None:
    failed = response("Content-Length: 5", body=b"sorry", status="HTTP/1.1 503 Service Unavailable")
    assert read([failed]) == ("", 503, b"", False)


def test_interim_responses_are_passed_over() -> None:
    early = response("Link: </a>", status="HTTP/1.1 103 Early Hints")
    assert read([early * 2, response("Content-Length: 1", body=b"x")]) == ("", 200, b"x", True)


@pytest.mark.parametrize(
    ("status", "field", "persists"),
    [
        ("HTTP/1.1 200 OK", "Connection: close", False),
        ("HTTP/1.1 200 OK", "connection: X, CLOSE", False),
        ("HTTP/1.0 200 OK", "X: y", False),
        ("HTTP/1.0 200 OK", "Connection: Keep-Alive", True),
    ],
)
def test_connection_persists_as_version_and_field_say(status: str, field: str, persists: bool) -> None:
    assert read([response(field, "Content-Length: 1", body=b"x", status=status)])[2:] == (b"x", persists)


def test_bytes_after_the_response_make_the_connection_useless() -> None:
    assert read([response("Content-Length: 1", body=b"xy")]) == ("", 200, b"x", False)


def test_same_length_twice_is_one_length() -> None:
    assert read([response("Content-Length: 1", "Content-Length: 1", body=b"x")])[2] == b"x"


def test_bare_line_feeds_end_lines_too() -> None:
    assert read([b"HTTP/1.1 200\nContent-Length: 1\n\nx"]) == ("", 200, b"x", True)


def test_limit_holds_for_the_unpacked_body() -> None:
    packed = gzip.compress(b"x" * 100_000)
    head = response("Content-Encoding: gzip", f"Content-Length: {len(packed)}", body=packed)
    assert read([head], limit_bytes=100_001)[2] == b"x" * 100_000
    assert read([head], limit_bytes=100_000)[0] == str(BodySizeError())


def test_gzip_that_ends_early_is_an_error() -> None:
    packed = gzip.compress(b"x" * 100)[:-3]
    reader = ResponseReader(0)
    reader.feed(response("Content-Encoding: gzip", f"Content-Length: {len(packed)}", body=packed))
    with pytest.raises(ScrapeError, match="unexpected EOF"):
        reader.body.end()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x15\x03\x01\x00\x02\x02", "malformed HTTP response"),
        (b"HTTP/2 200 OK\r\n\r\n", "malformed HTTP response"),
        (b"HTTP/1.1 20x OK\r\n\r\n", "malformed HTTP response"),
        (response("no colon"), "malformed HTTP response"),
        (response("folded: a", " b"), "malformed HTTP response"),
        (response("sp ace: a"), "malformed HTTP response"),
        (response("nul: \0"), "malformed HTTP response"),
        (response("Content-Length: -1"), "bad Content-Length '-1'"),
        (response("Content-Length: 1_0"), "bad Content-Length '1_0'"),
        (response("Content-Length: 1", "Content-Length: 2"), "bad Content-Length"),
        (response("Transfer-Encoding: gzip, chunked"), "unsupported transfer encoding: 'gzip, chunked'"),
        (response("Transfer-Encoding: chunked", body=b"x\r\n"), "malformed chunked encoding"),
        (response("Transfer-Encoding: chunked", body=b"-1\r\n"), "malformed chunked encoding"),
        (response("Transfer-Encoding: chunked", body=b"1" * 16 + b"\r\n"), "malformed chunked encoding"),
        (response("Transfer-Encoding: chunked", body=b"1\r\nxy\r\n"), "malformed chunked encoding"),
        (response("Transfer-Encoding: chunked", body=b"1;" + b"x" * 5000), "malformed chunked encoding"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "response headers exceeded"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "response headers exceeded"),
    ],
)
def test_what_is_no_response_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(HttpError, match=message):
        ResponseReader(0).feed(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "EOF"),
        (b"HTTP/1.1 2", "unexpected EOF"),
        (response("Content-Length: 2", body=b"x"), "unexpected EOF"),
        (response("Transfer-Encoding: chunked", body=b"1\r\nx\r\n"), "unexpected EOF"),
    ],
)
def test_connection_that_ends_early_is_an_error(data: bytes, message: str) -> None:
    assert read([data] if data else [])[0] == message


FIELDS = st.lists(
    st.sampled_from(["Date: Sun, 22 Nov 2026 10:00:00 GMT", "X:", "content-type:  text/plain \t"]), max_size=3
)


@st.composite
def responses(draw: st.DrawFn) -> tuple[bytes, Outcome]:
    """A response in one of the framings, and what it says."""
    body = draw(st.binary(max_size=200))
    fields = draw(FIELDS)
    sent = gzip.compress(body) if draw(st.booleans()) else body
    if sent is not body:
        fields.append("Content-Encoding: gzip")
    framing = draw(st.sampled_from(["length", "chunks", "end"]))
    if framing == "length":
        fields.append(f"Content-Length: {len(sent)}")
    elif framing == "chunks":
        fields.append("Transfer-Encoding: Chunked")
        sent = chunked(draw, sent)
    head = response(*draw(st.permutations(fields)))
    if draw(st.booleans()):
        head = head.replace(b"\r\n", b"\n")
    return head + sent, ("", 200, body, framing != "end")


def chunked(draw: st.DrawFn, body: bytes) -> bytes:
    chunks = []
    while body:
        size = draw(st.integers(1, len(body)))
        chunks.append(b"%X%b\r\n%b\r\n" % (size, draw(st.sampled_from([b"", b";x", b" ;a=1"])), body[:size]))
        body = body[size:]
    return b"".join([*chunks, b"000\r\n", draw(st.sampled_from([b"", b"X: y\r\n"])), b"\r\n"])


def split(data: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted(place % (len(data) + 1) for place in places)
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True) if end > start]


@given(responses(), st.lists(st.integers(0, 10_000), max_size=20))
def test_response_is_read_whole_however_it_is_framed_and_cut(
    sent: tuple[bytes, Outcome], places: list[int]
) -> None:
    data, expected = sent
    assert read(split(data, places)) == expected


@given(responses(), st.data())
def test_damaged_response_is_read_alike_however_it_is_cut(
    sent: tuple[bytes, Outcome], data: st.DataObject
) -> None:
    """It may pass, or fail with an error of ours; never otherwise."""
    at = data.draw(st.integers(0, len(sent[0])))
    damaged = sent[0][:at] + data.draw(st.binary(max_size=4)) + sent[0][at + data.draw(st.integers(0, 3)) :]
    whole = read([damaged] if damaged else [])
    bytewise = read([damaged[n : n + 1] for n in range(len(damaged))])
    assert (bool(whole[0]), *whole[1:3]) == (bool(bytewise[0]), *bytewise[1:3])
