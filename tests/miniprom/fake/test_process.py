import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from miniprom.cli import main
from tests.miniprom.fake.serving import Fake

COMMAND = [sys.executable, "-I", "-m", "miniprom", "fake"]


@contextmanager
def started(*options: str, **more: Any) -> Iterator[tuple["subprocess.Popen[bytes]", dict[str, Any]]]:
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, **more)
    assert process.stdout
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        if process.stdin:
            process.stdin.close()


def test_it_prints_where_it_is_and_ends_on_sigterm() -> None:
    with started("--start", "2024-01-01T00:00:00Z") as (process, line):
        assert line.keys() == {"url", "control_url", "pid"}
        assert line["pid"] == process.pid
        fake = Fake(line["url"], line["control_url"])
        assert fake.control("GET", "clock") == {"now": 1_704_067_200}
        assert fake.at(line["control_url"]).control("GET", "")["series"] == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_it_ends_when_standard_input_is_closed() -> None:
    with started("--until-stdin-closes", stdin=subprocess.PIPE) as (process, _):
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0


def test_it_ends_when_the_parent_that_was_named_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with started("--parent-pid", str(parent.pid)) as (process, _):
            parent.kill()
            assert process.wait(10) == 0
    finally:
        parent.kill()
        parent.wait()


def test_it_begins_with_what_files_hold(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("rule_files: [rules.yml]\n")
    (tmp_path / "rules.yml").write_text(
        "groups: [{name: g, interval: 15s, rules: [{record: r, expr: a + b}]}]"
    )
    (tmp_path / "a.json").write_text(json.dumps({"series": {"a": "1x9"}, "start": "now"}))
    (tmp_path / "b.om").write_text("# TYPE b gauge\nb 2\n# EOF\n")
    (tmp_path / "c.test").write_text("load 1m\n  c 1 2 3\n")
    files = [str(tmp_path / name) for name in ("a.json", "b.om", "c.test")]
    with started("--config", str(tmp_path / "prometheus.yml"), "--load", *files) as (_, line):
        fake = Fake(line["url"], line["control_url"])
        fake.advance("1m")
        assert fake.values("r") == {"": "3"}
        assert fake.values("c") == {"": "3"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--listen", "9090"], "--listen: expected host:port"),
        (["--start", "soon"], "--start: "),
        (["--load", "/nowhere.om"], "/nowhere.om: No such file"),
        (["--config", "/nowhere.yml"], "/nowhere.yml: No such file"),
    ],
)
def test_faulty_option_ends_it_with_a_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fake", *options]) == 1
    assert capsys.readouterr().err.startswith(f"miniprom: {message}")


def test_standard_input_that_nobody_can_close_is_refused() -> None:
    command = [*COMMAND, "--until-stdin-closes"]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "standard input is not a pipe" in ended.stderr


def test_it_does_not_survive_the_process_that_started_it() -> None:
    script = (
        "import os, subprocess, sys, time\n"
        f"p = subprocess.Popen({COMMAND!r} + ['--parent-pid', str(os.getpid())], stdout=subprocess.PIPE)\n"
        "print(p.stdout.readline().decode(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout
    pid = json.loads(parent.stdout.readline())["pid"]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _is_alive(pid):
        time.sleep(0.02)
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
