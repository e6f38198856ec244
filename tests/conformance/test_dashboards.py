"""Every query of Flux's Grafana dashboards, over simulated controllers that the real scraper has scraped."""

import asyncio
import json
import time
from collections.abc import Iterator
from functools import cache
from urllib.parse import urlencode

import numpy as np
import pytest
from _pytest.mark import ParameterSet

from benchmarks.data import remote_write_requests, stored
from benchmarks.programs import PROMETHEUS, Running, running
from benchmarks.queries import REMOTE_WRITE_HEADERS
from miniprom.simulator import Era
from query import Engine, EngineOptions, InstantVector, RangeMatrix
from tests.conformance import dashboards
from tests.conformance.dashboards import DASHBOARDS, ERA_OF, Panel, panels
from tsdb import Store

STEP_MS = 15_000
SCRAPED_MS = 15 * 60_000

pytestmark = pytest.mark.skipif(
    not DASHBOARDS.is_dir(), reason=f"dashboards are not at {DASHBOARDS}; set MINIPROM_DASHBOARDS"
)


def dashboard_panels() -> list[ParameterSet]:
    return [
        pytest.param(ERA_OF[name], panel, id=f"{name}: {panel.title} {number}")
        for name in ERA_OF
        if DASHBOARDS.is_dir()
        for number, panel in enumerate(panels(DASHBOARDS / f"{name}.json"))
    ]


@cache
def start_ms() -> int:
    """A quarter of an hour ago, so that a real Prometheus takes the samples, too."""
    return int(time.time()) * 1000 - SCRAPED_MS


@cache
def scraped(era: Era) -> Store:
    return asyncio.run(dashboards.scraped(era, start_ms=start_ms(), lasting_ms=SCRAPED_MS))


def instant(era: Era, query: str) -> InstantVector:
    result = Engine(EngineOptions()).instant(scraped(era).snapshot(0), query, start_ms() + SCRAPED_MS)
    assert isinstance(result.value, InstantVector)
    return result.value


@pytest.mark.parametrize(("era", "panel"), dashboard_panels())
def test_panel_has_an_answer(era: Era, panel: Panel) -> None:
    assert instant(era, panel.query).labels.size > 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('count(gotk_resource_info{customresource_kind=~"Kustomization|HelmRelease"})', 8),
        ('count(gotk_resource_info{customresource_kind=~"Kustomization|HelmRelease", ready="False"})', 1),
        ('count(gotk_resource_info{customresource_kind=~"GitRepository|Bucket", ready="False"})', 1),
        ('sum(go_info{namespace="flux-system",pod=~".*-controller-.*"})', 6),
    ],
)
def test_answer_is_what_the_simulation_is_made_of(query: str, expected: float) -> None:
    assert instant(Era.V2, query).values.tolist() == [expected]


def test_failing_kustomization_is_the_one_of_the_story() -> None:
    failing = instant(
        Era.V0, 'gotk_reconcile_condition{type="Ready",status="False",kind="Kustomization"} == 1'
    )
    assert failing.labels.values("name") == ["kustomization-0"]


@pytest.fixture(scope="module")
def prometheus() -> Iterator[dict[Era, Running]]:
    """A real Prometheus per era, given the very samples that our scraper stored."""
    if not PROMETHEUS.is_installed:
        pytest.skip("prometheus is not installed")
    with running(PROMETHEUS) as v0, running(PROMETHEUS) as v2:
        peers = {Era.V0: v0, Era.V2: v2}
        for era, peer in peers.items():
            for data in stored(scraped(era)):
                for body in remote_write_requests(data):
                    peer.post("/api/v1/write", body, REMOTE_WRITE_HEADERS)
        yield peers


@pytest.mark.peer
@pytest.mark.parametrize(("era", "panel"), dashboard_panels())
def test_panel_shows_what_prometheus_shows(era: Era, panel: Panel, prometheus: dict[Era, Running]) -> None:
    # Prometheus 2 and 3 extrapolate differently where a counter begins inside the window: start later.
    first_ms = start_ms() + 7 * 60_000 + phase_off_samples_ms(era)
    last_ms = start_ms() + SCRAPED_MS
    ours = (
        Engine(EngineOptions()).range(scraped(era).snapshot(0), panel.query, first_ms, last_ms, STEP_MS).value
    )
    parameters = {
        "query": panel.query,
        "start": first_ms / 1000,
        "end": last_ms / 1000,
        "step": STEP_MS / 1000,
    }
    answer = json.loads(prometheus[era].get("/api/v1/query_range?" + urlencode(parameters)))
    theirs = {
        tuple(sorted(series["metric"].items())): {
            round(at * 1000): float(value) for at, value in series["values"]
        }
        for series in answer["data"]["result"]
    }
    assert isinstance(ours, RangeMatrix)
    assert _by_series(ours) == {
        labels: pytest.approx(points, rel=1e-9, nan_ok=True) for labels, points in theirs.items()
    }


@cache
def phase_off_samples_ms(era: Era) -> int:
    """How far steps stand off the second, so that no sample is as old as a range is long.

    Prometheus 3 leaves such a sample out, Prometheus 2 does not.
    """
    taken = np.concatenate([data.timestamps_ms for data in stored(scraped(era))]) - start_ms()
    return int(np.setdiff1d(np.arange(1, 1000), taken % 1000)[0])


def _by_series(matrix: RangeMatrix) -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
    present = np.ones(matrix.values.shape, dtype=bool) if matrix.present is None else matrix.present
    return {
        labels: dict(
            zip(
                matrix.steps_ms[present[:, column]].tolist(),
                matrix.values[present[:, column], column].tolist(),
                strict=True,
            )
        )
        for column, labels in enumerate(matrix.labels.series())
    }
