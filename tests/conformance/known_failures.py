"""Cases of Prometheus's scripts that fail: by script and reason, the lines they begin on. There is none.

A case that can't pass goes here with its reason; a case that passes must be taken off.
"""

from collections.abc import Mapping
from typing import Final

KNOWN_FAILURES: Final[Mapping[str, Mapping[str, str]]] = {}
