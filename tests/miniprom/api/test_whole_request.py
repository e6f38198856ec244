"""Which requests are read without aiohttp."""

import pytest

from miniprom.api.whole_request import whole_request

POST = b"POST /api/v1/query HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"


def test_get_has_the_parameters_of_its_url() -> None:
    request = whole_request(b"GET /api/v1/query?query=up&time=1 HTTP/1.1\r\nHost: a:9090\r\nAccept:\r\n\r\n")
    assert request == ("/api/v1/query", [b"query=up&time=1"], {b"host": b"a:9090", b"accept": b""})


def test_parameters_of_a_form_stand_before_those_of_the_url() -> None:
    request = whole_request(POST.replace(b" HTTP", b"?time=1 HTTP") + b"Content-Length: 8\r\n\r\nquery=up")
    assert request is not None
    assert request.forms == [b"query=up", b"time=1"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET /a HTTP/1.1\r\nHost: a\r\n",
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.0\r\nHost: a\r\n\r\n",
        b"PUT /a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a/a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a HTTP/1.1\nHost: a\n\n",
        b"GET /a HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nmore",
        b"GET /a HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * 8190 + b"\r\n\r\n",
        POST + b"\r\n",
        POST + b"Content-Length: 9\r\n\r\nquery=up",
        POST + b"Content-Length: 7\r\n\r\nquery=up",
        POST + b"Content-Length: +8\r\n\r\nquery=up",
        POST + b"Content-Length: 8\r\nContent-Encoding: gzip\r\n\r\nquery=up",
        POST + b"Content-Length: 8\r\nExpect: 100-continue\r\n\r\nquery=up",
        POST.replace(b"x-www-form-urlencoded", b"json") + b"Content-Length: 8\r\n\r\nquery=up",
    ],
)
def test_what_is_unusual_or_not_whole_is_left_to_aiohttp(data: bytes) -> None:
    assert whole_request(data) is None
