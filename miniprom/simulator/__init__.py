"""Simulated Flux controllers, for the demo, the tests and the benchmarks."""

from miniprom.simulator.catalog import CONTROLLERS, Era
from miniprom.simulator.cluster import Cluster
from miniprom.simulator.server import ServedTargets, serve
from miniprom.simulator.stories import EVERYDAY_STORIES, Outcome, Story
from miniprom.simulator.targets import SimulatedTargets

__all__ = [
    "CONTROLLERS",
    "EVERYDAY_STORIES",
    "Cluster",
    "Era",
    "Outcome",
    "ServedTargets",
    "SimulatedTargets",
    "Story",
    "serve",
]
