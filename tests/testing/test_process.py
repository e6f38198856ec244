import os

import pytest

from miniprom.testing import ServerDiedError, ServerProcess


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(
        ServerDiedError, match=r"^miniprom fake did not start: exit status 1; (?s:.*)nonsense"
    ):
        ServerProcess(["--start", "nonsense"])


def test_a_fork_does_not_end_the_server_of_its_parent_and_a_restart_keeps_its_arguments() -> None:
    with ServerProcess(["--start", "2020-01-01T00:00:00Z"]) as server:
        child = os.fork()
        if child == 0:
            server.stop()
            os._exit(0)
        os.waitpid(child, 0)
        with server.client() as client:
            assert client.query("vector(1)").scalar() == 1
        server.restart()
        with server.client() as client:
            assert client.now() == 1577836800
        assert not server.death()
