"""Upstream's own configuration files: those named good must load, those named bad must be refused."""

import os
from pathlib import Path

import pytest

from miniprom.config import ConfigFileError, load_config, render_config
from tests.conformance.conftest import BESIDE_REPOSITORY

ROOT = Path(os.environ.get("MINIPROM_CONFORMANCE", BESIDE_REPOSITORY))
FILES = sorted((ROOT / "config").rglob("*.yml"))

NOT_YET = {
    "scrape_interval_larger.good.yml": "DNS discovery is not supported",
    "scrape_configs/scrape_config_files2.good.yml": "Vultr discovery is not supported",
    "scrape_config_files_duplicate.bad.yml": "the file that it includes is not among the cases",
    "scrape_config_files_global_duplicate.bad.yml": "the file that it includes is not among the cases",
}

pytestmark = pytest.mark.skipif(not FILES, reason=f"no configuration files under {ROOT}")


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT / "config"))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_file_is_loaded_or_refused_as_upstream_does(file: Path) -> None:
    if name_of(file) in NOT_YET:
        pytest.skip(NOT_YET[name_of(file)])
    if ".good." in file.name:
        assert render_config(load_config(str(file)))
    else:
        with pytest.raises(ConfigFileError, match=rf"{file.name}:\d+: "):
            load_config(str(file))
