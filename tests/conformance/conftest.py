"""Where the conformance cases lie: `MINIPROM_CONFORMANCE`, or beside the repository."""

import os
from pathlib import Path

import pytest

BESIDE_REPOSITORY = Path(__file__).parents[3] / "shared" / "conformance"


@pytest.fixture(scope="session")
def conformance() -> Path:
    folder = Path(os.environ.get("MINIPROM_CONFORMANCE", BESIDE_REPOSITORY))
    if not folder.is_dir():
        pytest.skip(f"conformance cases are not at {folder}; set MINIPROM_CONFORMANCE")
    return folder
