"""What became of samples that were to be stored."""

from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

NO_ROOM: Final = -2
"""Stands in place of the id of a new series that the memory limit leaves no room for."""


class Outcome(IntEnum):
    """What became of one sample. One that is there already, bit for bit, counts as stored."""

    STORED = 0
    OUT_OF_ORDER = 1
    DUPLICATE = 2
    TOO_OLD = 3
    NO_ROOM = 4


OutcomeArray: TypeAlias = NDArray[np.uint8]


class Appended(NamedTuple):
    """What became of a batch. `outcomes` is of its shape, an `Outcome` a sample; None: all stored."""

    stored: int
    out_of_order: int = 0
    duplicate: int = 0
    too_old: int = 0
    no_room: int = 0
    outcomes: OutcomeArray | None = None

    @staticmethod
    def of(outcomes: OutcomeArray, samples: int) -> "Appended":
        """The counts of `samples` outcomes; cells of `outcomes` without a sample are STORED."""
        counts = np.bincount(outcomes.ravel(), minlength=len(Outcome)).tolist()
        _, out_of_order, duplicate, too_old, no_room = counts
        return Appended(samples - sum(counts[1:]), out_of_order, duplicate, too_old, no_room, outcomes)
