"""For tests that are run by a pytest within this one."""

import pytest

from miniprom.testing.server import Server


class Shared:
    """A plugin with a server that is already there."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @pytest.fixture(scope="session")
    def prometheus_server(self) -> Server:
        return self._server


@pytest.fixture
def shared(prometheus_server: Server) -> Shared:
    return Shared(prometheus_server)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Options for a pytest without other plugins than ours."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return ("-p", "miniprom.testing.plugin", "-p", "no:cacheprovider")
