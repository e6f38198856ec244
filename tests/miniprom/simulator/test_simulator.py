"""The simulated controllers: real names, plausible motion, stories that show."""

import asyncio

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from collector.clock import SystemClock
from miniprom.simulator import CONTROLLERS, Cluster, Era, Outcome, SimulatedTargets, Story, serve

MINUTE_MS = 60_000


def samples(
    targets: SimulatedTargets, name: str, now_ms: int
) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = targets.body(name, now_ms).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize("era", Era)
def test_every_body_parses_and_has_no_duplicate_series(era: Era) -> None:
    targets = SimulatedTargets(Cluster(0), era)
    for name in targets.names:
        lines = [line for line in targets.body(name, MINUTE_MS).splitlines() if not line.startswith(b"#")]
        assert len(samples(targets, name, MINUTE_MS)) == len(lines) > 0


def test_equal_seeds_and_times_give_equal_bodies() -> None:
    one, other = SimulatedTargets(Cluster(0, seed=7)), SimulatedTargets(Cluster(0, seed=7))
    assert [one.body(name, MINUTE_MS) for name in one.names] == [
        other.body(name, MINUTE_MS) for name in other.names
    ]


def test_counters_and_buckets_never_decrease() -> None:
    targets = SimulatedTargets(Cluster(0))
    for name in (controller.name for controller in CONTROLLERS):
        before = samples(targets, name, MINUTE_MS)
        after = samples(targets, name, 5 * MINUTE_MS)
        monotonic = [key for key in before if key[0].endswith(("_total", "_bucket", "_count"))]
        assert monotonic
        assert all(after[key] >= before[key] for key in monotonic)


def test_a_reconciler_has_43_controller_runtime_series_and_35_workqueue_series() -> None:
    targets = SimulatedTargets(Cluster(0, objects=0))
    keys = list(samples(targets, "kustomize-controller", 0))
    assert sum(name.startswith("controller_runtime_reconcile_time_seconds") for name, _ in keys) == 43
    assert sum(name.startswith("workqueue_") for name, _ in keys) == 35


def test_an_object_has_13_duration_series_with_the_bounds_of_the_real_recorder() -> None:
    targets = SimulatedTargets(Cluster(0, objects=13))
    keys = [
        key
        for key in samples(targets, "kustomize-controller", MINUTE_MS)
        if "gotk_reconcile_duration" in key[0]
    ]
    assert len(keys) == 13
    bounds = {dict(labels)["le"] for name, labels in keys if name.endswith("_bucket")}
    assert {"1e-08", "1.0", "10.0", "+Inf"} <= bounds


def test_a_failing_kustomization_is_not_ready_while_its_story_lasts() -> None:
    story = Story("Kustomization", "kustomization-0", 60.0, 600.0, outcome=Outcome.FAILURE)
    targets = SimulatedTargets(Cluster(0, stories=(story,)), Era.V0)
    labels = {"kind": "Kustomization", "name": "kustomization-0", "namespace": "flux-system", "type": "Ready"}
    key = ("gotk_reconcile_condition", tuple(sorted({**labels, "status": "False"}.items())))
    readiness = [samples(targets, "kustomize-controller", minute * MINUTE_MS)[key] for minute in (1, 5, 15)]
    assert readiness == [0.0, 1.0, 0.0]


def test_a_suspended_object_stops_reconciling() -> None:
    story = Story("HelmRelease", "helmrelease-0", suspended=True)
    cluster = Cluster(0, objects=13, stories=(story,))
    cluster.advance(10 * MINUTE_MS)
    release = next(item for item in cluster.objects if item.kind.name == "HelmRelease")
    assert release.suspended
    assert sum(release.durations.counts) == 0


def test_served_targets_answer_on_their_own_ports() -> None:
    async def scrape() -> dict[str, int]:
        clock = SystemClock()
        served = await serve(SimulatedTargets(Cluster(clock.now_ms(), objects=2)), clock)
        try:
            async with aiohttp.ClientSession() as session:
                statuses = {}
                for name, address in served.addresses.items():
                    async with session.get(f"http://{address}/metrics") as response:
                        statuses[name] = response.status
                return statuses
        finally:
            await served.stop()

    statuses = asyncio.run(scrape())
    assert set(statuses.values()) == {200}
    assert len(statuses) == len(CONTROLLERS) + 2
