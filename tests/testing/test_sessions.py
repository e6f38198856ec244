"""Sessions of pytest with servers of their own: how these begin and end, and what they leave alone."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np  # noqa: F401  pytester unloads what its tests import, and numpy can't be loaded twice
import pytest

pytest_plugins = ["pytester"]


def test_pytest_finds_the_plugin() -> None:
    (found,) = entry_points(group="pytest11", name="miniprom")
    assert found.value == "miniprom.testing.plugin"


def test_each_worker_of_xdist_has_a_server(pytester: pytest.Pytester, alone: tuple[str, ...]) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_server(prometheus, prometheus_server, worker_id, number):
            prometheus.load({"x": number})
            assert prometheus.query("x").scalar() == number
            Path(worker_id).write_text(prometheus_server.url)
        """
    )
    result = pytester.runpytest_subprocess("-p", "xdist", "-n2", *alone)
    result.assert_outcomes(passed=4)
    urls = {file.read_text() for file in pytester.path.glob("gw*")}
    assert len(urls) == 2


def test_a_server_that_died_fails_its_test_and_the_next_has_a_new_one(
    pytester: pytest.Pytester, alone: tuple[str, ...]
) -> None:
    pytester.makepyfile(
        """
        import os, signal, time

        def test_kills(prometheus, prometheus_server):
            os.kill(prometheus_server.pid, signal.SIGKILL)
            while not prometheus_server.death():
                time.sleep(0.01)

        def test_goes_on(prometheus):
            prometheus.load("x 1")
            assert prometheus.query("x").scalar() == 1

        def test_meets_it(prometheus, prometheus_server):
            prometheus.load("x 1")
            os.kill(prometheus_server.pid, signal.SIGKILL)
            prometheus.query("x")
        """
    )
    result = pytester.runpytest(*alone)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*the fake Prometheus died during this test: ended by SIGKILL*"])


def test_a_session_ends_with_its_server(pytester: pytest.Pytester, alone: tuple[str, ...]) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path

        def test_it(prometheus_server):
            Path("pid").write_text(str(prometheus_server.pid))
        """
    )
    pytester.runpytest(*alone, "-W", "error").assert_outcomes(passed=1)
    with pytest.raises(ProcessLookupError):
        os.kill(int((pytester.path / "pid").read_text()), 0)


def test_no_server_is_left_when_pytest_is_killed(pytester: pytest.Pytester, alone: tuple[str, ...]) -> None:
    pytester.makepyfile(
        """
        import time
        from pathlib import Path

        def test_it(prometheus, prometheus_server):
            Path("pid.new").write_text(str(prometheus_server.pid))
            Path("pid.new").rename("pid")
            time.sleep(60)
        """
    )
    session = subprocess.Popen([sys.executable, "-m", "pytest", *alone], stdout=subprocess.DEVNULL)
    try:
        pid_file = pytester.path / "pid"
        assert eventually(pid_file.exists)
    finally:
        session.kill()
        session.wait()
    status = Path(f"/proc/{pid_file.read_text()}/status")
    assert eventually(lambda: not status.exists() or "State:\tZ" in status.read_text())


def test_a_server_that_must_be_killed_is_reported(
    pytester: pytest.Pytester, alone: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miniprom.testing.process._STOP_SECONDS", 0.1)
    pytester.makepyfile(
        """
        import os, signal

        def test_it(prometheus_server):
            os.kill(prometheus_server.pid, signal.SIGSTOP)
        """
    )
    result = pytester.runpytest(*alone, "-W", "always")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*ServerLeakWarning: miniprom fake did not end and was killed"])


def test_modules_of_the_user_named_like_ours_do_no_harm(
    pytester: pytest.Pytester, alone: tuple[str, ...]
) -> None:
    for name in ("query", "collector", "tsdb", "numpy", "aiohttp"):
        pytester.makepyfile(**{name: "raise RuntimeError('the user\\'s own')"})
    pytester.makepyfile(
        """
        import sys

        def test_it(prometheus):
            prometheus.load("x 1")
            assert prometheus.query("x").scalar() == 1
            assert not {"query", "collector", "tsdb", "numpy"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess(*alone).assert_outcomes(passed=1)


def test_without_the_plugin_nothing_of_it_is_there(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it():
            assert not any(name.startswith("miniprom") for name in sys.modules)

        def test_fixture(prometheus): ...
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:miniprom", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E *fixture 'prometheus' not found"])


def test_until_a_test_asks_next_to_nothing_is_imported() -> None:
    code = """if True:
        import pytest, sys
        before = set(sys.modules)
        import miniprom.testing.plugin
        ours = {"miniprom", "miniprom.testing", "miniprom.testing.plugin", "miniprom.testing.items"}
        assert set(sys.modules) - before == ours, set(sys.modules) - before
    """
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


def test_the_client_needs_the_standard_library_alone() -> None:
    code = """if True:
        import sys
        before = set(sys.modules)
        import miniprom.testing.client, miniprom.testing.process, miniprom.testing.generators
        packages = {name.partition(".")[0] for name in set(sys.modules) - before}
        assert packages - sys.stdlib_module_names == {"miniprom"}, packages
    """
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


def test_a_fake_in_a_thread_is_the_same(pytester: pytest.Pytester, alone: tuple[str, ...]) -> None:
    pytester.makeini("[pytest]\nprometheus_in_process = true")
    pytester.makepyfile(
        """
        import threading

        def test_it(prometheus):
            assert "miniprom fake" in {thread.name for thread in threading.enumerate()}
            prometheus.load("x 1")
            assert prometheus.query("x").scalar() == 1
            prometheus.clock.advance("10m")
            assert not prometheus.query("x")
        """
    )
    pytester.runpytest(*alone, "-W", "error").assert_outcomes(passed=1)


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
