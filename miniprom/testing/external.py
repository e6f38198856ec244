"""The same tests against a real server: samples are remote-written; what only a fake does is skipped."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from miniprom.fake.batch import Batch
from miniprom.fake.errors import FakeError
from miniprom.fake.loading import read_load
from miniprom.testing.client import FakePrometheus
from miniprom.testing.control import Control
from miniprom.testing.errors import RefusedError
from miniprom.testing.prometheus import Prometheus
from miniprom.testing.remote_write import HEADERS, Rows, write_request
from miniprom.testing.transport import Transport
from tsdb import is_absent

_BEYOND_IT: Final = {
    "assert": "keeps no journal",
    "clock": "has no clock that can be set",
    "config": "can't be configured by a test",
    "faults": "has no faults to order",
    "journal": "keeps no journal",
    "restore": "can't go back to a snapshot",
    "scrape": "does not scrape what lives in a test",
    "snapshot": "can't go back to a snapshot",
    "tenants": "has no tenants",
}


class RealServer:
    """What `--prometheus-url` names."""

    keeps_journal = False

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, tenant: str | None = None) -> FakePrometheus:
        """A client that skips the test where it asks for more than a real server does."""
        if tenant is not None:
            pytest.skip(f"a real Prometheus {_BEYOND_IT['tenants']}")
        return RealPrometheus(self.url)

    def death(self) -> str:
        """Whether it runs is not ours to say."""
        return ""

    def restart(self) -> None:
        """It is not ours to start."""

    def stop(self) -> None:
        """It is not ours to end."""


class RealPrometheus(FakePrometheus):
    """A real server behind the client of a fake: it can be asked and filled, but it does not forget."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._control = self.clock.control = _RealControl(self, Transport(url))


class _RealControl(Control):
    """Does what of the control API a real server can."""

    def __init__(self, server: Prometheus, transport: Transport) -> None:
        super().__init__(transport)
        self._server = server

    def ask(self, method: str, what: str, body: Mapping[str, Any] | None = None) -> Any:
        """Raises `RefusedError`, `UnreachableError`; skips the test for what is beyond a real server."""
        if what == "reset":
            return None
        if (method, what) == ("GET", "clock"):
            return {"now": math.floor(self._server.query("time()").scalar())}  # as the clock of a fake stands
        if what == "load":
            return self._load(body)
        pytest.skip(f"a real Prometheus {_BEYOND_IT[what.partition('?')[0].partition('/')[0]]}")

    def _load(self, body: Mapping[str, Any] | None) -> dict[str, Any]:
        now_ms = round(self.ask("GET", "clock")["now"] * 1000)
        try:
            batch = read_load(json.loads(json.dumps(body)), now_ms)
        except FakeError as error:
            raise RefusedError(str(error)) from error
        if batch.mixed:
            pytest.skip("native histograms are not sent to a real Prometheus")
        response = self._transport.request("POST", "/api/v1/write", write_request(_rows(batch)), HEADERS)
        if response.status >= 300:
            raise RefusedError(
                f"{self._server.url} refused the samples: {response.body.decode(errors='replace').strip()}\n"
                "It must be started with --web.enable-remote-write-receiver, and accept samples out of order"
                " for those in the past (storage.tsdb.out_of_order_time_window). It forgets nothing between"
                " tests: these need metrics of their own."
            )
        start_ms, end_ms = batch.span_ms() or (None, None)
        return {
            "series": sum(1 for _ in batch.series()),
            "samples": batch.samples(),
            "start": None if start_ms is None else start_ms / 1000,
            "end": None if end_ms is None else end_ms / 1000,
        }


def _rows(batch: Batch) -> Iterator[tuple[Mapping[str, str], Rows]]:
    for block in batch.blocks:
        times_ms = block.timestamps_ms.tolist()
        present = ~is_absent(block.values)
        for column, labels in enumerate(block.labels):
            values = block.values[:, column].tolist()
            rows = zip(times_ms, values, present[:, column].tolist(), strict=True)
            yield dict(labels), [(time_ms, value) for time_ms, value, is_there in rows if is_there]
