"""A fake in a thread of the test's own process, with an event loop of its own."""

import asyncio
import threading
from concurrent.futures import Future

from miniprom.fake.server import FakeServer
from miniprom.testing.client import FakePrometheus, client_of


class ServerThread:
    """One server. It shares modules, clocks and interpreter with the test, and is debugged with it."""

    keeps_journal = True

    def __init__(self, start_ms: int) -> None:
        self._start_ms = start_ms
        self._start()

    def client(self, tenant: str | None = None) -> FakePrometheus:
        """A client of the server, or of one of its tenants. Close it at the end."""
        return client_of(self.url, self.control_url, tenant)

    def death(self) -> str:
        """Empty while the thread runs."""
        return "" if self._thread.is_alive() else f"its thread ended: {self._failure!r}"

    def restart(self) -> None:
        """A new thread in place of one that ended."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """End it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()

    def _start(self) -> None:
        self._failure: BaseException | None = None
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, args=(started,), name="miniprom fake", daemon=True)
        self._thread.start()
        started.result()

    def _work(self, started: "Future[None]") -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:  # told by `death`
            self._failure = error
            if not started.done():
                started.set_exception(error)

    async def _serve(self, started: "Future[None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        server = FakeServer(self._start_ms)
        await server.start()
        self.url, self.control_url = server.url, server.control_url
        started.set_result(None)
        await self._stopped.wait()
        await server.stop()
