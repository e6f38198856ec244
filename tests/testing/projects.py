"""Runs commands in a folder as its user would: without what this repository and its pytest set."""

import os
import subprocess
import sys
from pathlib import Path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Standard output and error come together."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))
    }
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
