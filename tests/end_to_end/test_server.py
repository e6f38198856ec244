"""The server as a process: signals, start-up failures."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.end_to_end.programs import eventually, fetch, miniprom


def test_hangup_reloads_and_sigterm_stops_cleanly(tmp_path: Path) -> None:
    with miniprom("global: {scrape_interval: 7s}\n", tmp_path) as (url, process):
        (tmp_path / "prometheus.yml").write_text("global: {scrape_interval: 8s}\n")
        process.send_signal(signal.SIGHUP)
        eventually(lambda: fetch(f"{url}/api/v1/status/config"), lambda text: "scrape_interval: 8s" in text)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    log = (tmp_path / "miniprom.log").read_text()
    assert 'msg="Received an OS signal, exiting gracefully..." signal=SIGTERM' in log
    assert "Traceback" not in log


def test_broken_configuration_is_refused_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("global:\n  scrape_intervall: 1s\n")
    done = start(tmp_path)
    assert done.returncode == 1
    assert "prometheus.yml:2" in done.stderr
    assert "Traceback" not in done.stderr


def test_address_that_is_taken_is_reported(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = start(tmp_path, f"--web.listen-address=127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def start(folder: Path, *flags: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "miniprom", f"--config.file={folder / 'prometheus.yml'}", *flags]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=20, cwd=folder)
