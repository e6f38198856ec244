"""The timestamps of a block's rows: nearly free where rows are evenly apart."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tsdb.sample import IntArray

_OFFSET_TYPES: Final = (np.uint16, np.uint32)


@dataclass(frozen=True, slots=True)
class Times:
    """Ascending times: `base_ms + step_ms * row`, or `base_ms + offsets_ms[row]` where that is set."""

    base_ms: int
    rows: int
    step_ms: int = 0
    offsets_ms: NDArray[Any] | None = None

    @staticmethod
    def of(timestamps_ms: IntArray) -> "Times":
        """A narrow copy. Requires: at least one."""
        first_ms, rows = int(timestamps_ms[0]), len(timestamps_ms)
        step_ms = int(timestamps_ms[-1] - first_ms) // max(rows - 1, 1)
        if (np.diff(timestamps_ms) == step_ms).all():
            return Times(first_ms, rows, step_ms)
        offsets_ms = timestamps_ms - first_ms
        for dtype in _OFFSET_TYPES:
            if offsets_ms[-1] <= np.iinfo(dtype).max:
                return Times(first_ms, rows, offsets_ms=offsets_ms.astype(dtype))
        return Times(first_ms, rows, offsets_ms=offsets_ms)

    @staticmethod
    def around(timestamps_ms: IntArray) -> "Times":
        """The array itself, not copied."""
        return Times(0, len(timestamps_ms), offsets_ms=timestamps_ms)

    @property
    def first_ms(self) -> int:
        return self.base_ms if self.offsets_ms is None else self.base_ms + int(self.offsets_ms[0])

    @property
    def last_ms(self) -> int:
        if self.offsets_ms is None:
            return self.base_ms + self.step_ms * (self.rows - 1)
        return self.base_ms + int(self.offsets_ms[-1])

    def read(self) -> IntArray:
        """int64[row]."""
        if self.offsets_ms is None:
            return np.arange(self.rows) * self.step_ms + self.base_ms
        return self.offsets_ms + np.int64(self.base_ms)

    @property
    def memory_bytes(self) -> int:
        return 0 if self.offsets_ms is None else self.offsets_ms.nbytes
