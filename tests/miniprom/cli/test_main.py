"""What all commands do alike."""

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_reader_that_has_left_ends_a_command_silently() -> None:
    command = [sys.executable, "-m", "miniprom", "explain", "up + down"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaints = process.stderr.read()
        assert (process.wait(20), complaints) == (128 + signal.SIGPIPE, b"")
