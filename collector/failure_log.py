"""`scrape_failure_log_file`: a line of JSON for each scrape that brought no body. Upstream: FailureLogger."""

import json
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, TextIO

_log: Final = logging.getLogger(__name__)


class FailureLog:
    """The files that jobs name; jobs may share one."""

    def __init__(self) -> None:
        self._files: dict[str, TextIO] = {}

    def use(self, names: Iterable[str]) -> None:
        """Append to these files from now on, opened anew: whoever rotates them reloads. None: close all.

        One that can't be opened is told, and left out.
        """
        before, self._files = self._files, {}
        for file in before.values():
            file.close()
        for name in set(names) - {""}:
            try:
                self._files[name] = open(name, "a", encoding="utf-8", buffering=1)  # noqa: SIM115  closed in use()
            except OSError as error:
                _log.error("Can't write scrape_failure_log_file", extra={"file": name, "err": str(error)})

    def write(self, name: str, error: str, now_ms: int, *, job_name: str, target: str) -> None:
        """A line in a file, if that is in use."""
        file = self._files.get(name)
        if file is None:
            return
        moment = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        line = {
            "time": f"{moment}.{now_ms % 1000:03d}Z",
            "level": "ERROR",
            "msg": error,
            "job_name": job_name,
            "target": target,
        }
        try:
            file.write(json.dumps(line) + "\n")
        except OSError as fault:
            _log.error("Can't write scrape_failure_log_file", extra={"file": name, "err": str(fault)})
