"""Who we are, and whose API we speak."""

from typing import Final

VERSION: Final = "0.1.0"

PROMETHEUS_VERSION: Final = "3.14.0"
"""Clients choose features by the version that buildinfo names: this is the one whose behaviour we keep to."""

REVISION: Final = f"miniprom-{VERSION}"
BRANCH: Final = "miniprom"
