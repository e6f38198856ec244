"""A client's connection: light queries are answered as they arrive, all else is aiohttp's."""

import asyncio
import time
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Final

from aiohttp import web
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.web_protocol import RequestHandler

from miniprom.api.envelope import JSON
from miniprom.api.query import answer_if_light
from miniprom.api.services import Services
from miniprom.api.streaming import Body
from miniprom.api.whole_request import WholeRequest, whole_request

_HEAD: Final = (
    "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n"
    "Date: %s\r\nServer: %s\r\nVary: Origin\r\n\r\n"
)


class Connection(RequestHandler):
    """Requests that are whole and plain are looked at first: see `answer_if_light`.

    After one that is not, what comes may be the rest of it: from then on aiohttp reads alone.
    """

    __slots__ = ("_comes_whole", "_services")

    def __init__(self, server: web.Server, services: Services, **options: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._services = services
        self._comes_whole = True

    def data_received(self, data: bytes) -> None:
        """The next bytes from the client."""
        if self._comes_whole and data:  # aiohttp itself calls with none to go on
            request = whole_request(data)
            self._comes_whole = request is not None
            if request is not None and self._is_idle() and self._answered(request):
                return
        super().data_received(data)

    def _is_idle(self) -> bool:
        """Whether everything that was asked is answered, and the answer gone."""
        waiter, transport = self._waiter, self.transport
        is_waiting = waiter is not None and not waiter.done()
        return is_waiting and transport is not None and not transport.get_write_buffer_size()

    def _answered(self, request: WholeRequest) -> bool:
        begin = time.perf_counter()
        body = answer_if_light(self._services, request)
        if body is None:
            return False
        assert self.transport is not None
        self.transport.write(_head(body) + body.first)
        self._next_keepalive_close_time = self._loop.time() + self.keepalive_timeout
        self._services.metrics.http_answered(request.path, 200, time.perf_counter() - begin)
        return True


def _head(body: Body) -> bytes:
    encoding = "Content-Encoding: gzip\r\n" if body.is_gzip else ""
    return (_HEAD % (JSON, encoding, len(body.first), _date(int(time.time())), SERVER_SOFTWARE)).encode()


@lru_cache(1)
def _date(now: int) -> str:
    return formatdate(now, usegmt=True)
