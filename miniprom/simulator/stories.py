"""What goes wrong in the simulated cluster, and when: stories over seconds since its start."""

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a reconciliation ends; the values are controller-runtime's `result` label."""

    SUCCESS = "requeue_after"
    FAILURE = "error"


@dataclass(frozen=True)
class Story:
    """One object behaves differently from `start_seconds` until `end_seconds` (half-open)."""

    kind: str
    name: str
    start_seconds: float = 0.0
    end_seconds: float = float("inf")
    outcome: Outcome = Outcome.SUCCESS
    slowdown: float = 1.0
    suspended: bool = False

    def tells_of(self, kind: str, name: str, elapsed_seconds: float) -> bool:
        """Whether this story is about that object, now."""
        about = (self.kind, self.name) == (kind, name)
        return about and self.start_seconds <= elapsed_seconds < self.end_seconds


FAILING_KUSTOMIZATION = Story("Kustomization", "kustomization-0", outcome=Outcome.FAILURE)
UNREACHABLE_SOURCE = Story("GitRepository", "gitrepository-0", outcome=Outcome.FAILURE)
SLOW_HELM_UPGRADE = Story("HelmRelease", "helmrelease-0", slowdown=30.0)
SUSPENDED_RELEASE = Story("HelmRelease", "helmrelease-1", suspended=True)

EVERYDAY_STORIES = (FAILING_KUSTOMIZATION, UNREACHABLE_SOURCE, SLOW_HELM_UPGRADE, SUSPENDED_RELEASE)
"""A cluster as people know it: mostly fine, a few things not."""
