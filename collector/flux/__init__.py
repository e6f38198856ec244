"""The state of Flux's objects as series, without kube-state-metrics."""

from collector.flux.state import FluxState
from collector.flux.watch import FluxWatch
from collector.flux.writer import StateWriter

__all__ = ["FluxState", "FluxWatch", "StateWriter"]
