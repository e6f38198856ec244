"""A port that really refuses connections when it is closed, and that nobody else can take meanwhile."""

import asyncio
import socket
from collections.abc import Callable


class Port:
    """Listens on one address, or holds it without listening."""

    def __init__(self, host: str, number: int, new_protocol: Callable[[], asyncio.Protocol]) -> None:
        """Holds the port; 0 is a free one. Raises `OSError` if it is taken."""
        self.host = host
        self._new_protocol = new_protocol
        self._socket = _bound(host, number)
        self.number: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.number}"

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def open(self) -> None:
        """Accept connections from now on."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._new_protocol, sock=self._socket, backlog=1024)

    def close(self) -> None:
        """Refuse connections from now on. Those that are open stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._socket = _bound(self.host, self.number)

    def release(self) -> None:
        """Give the port up."""
        if self._server is not None:
            self._server.close()
        self._socket.close()


def _bound(host: str, number: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, number))
    except OSError:
        bound.close()
        raise
    return bound
