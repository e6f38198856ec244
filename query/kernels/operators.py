"""What the binary operators do to floats: tables of numpy functions over float64 arrays that broadcast."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from tsdb.sample import BoolArray, FloatArray

Arithmetic: TypeAlias = Callable[[FloatArray, FloatArray], FloatArray]
Comparison: TypeAlias = Callable[[FloatArray, FloatArray], BoolArray]

ARITHMETIC: Final[Mapping[str, Arithmetic]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,  # the sign of the dividend, as Go's math.Mod
    "^": np.float_power,  # np.power takes the square root of -Inf for one exponent 0.5: NaN, where Inf is due
    "atan2": np.arctan2,
}

COMPARISONS: Final[Mapping[str, Comparison]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}

SET_OPERATORS: Final = frozenset({"and", "or", "unless"})

TRIM_OPERATORS: Final = frozenset({"</", ">/"})
"""They cut buckets off native histograms, and are not defined on floats."""
