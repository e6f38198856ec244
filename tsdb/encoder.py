"""Which columns go into which form: the narrowest that holds them; of equals, the one that reads faster.

Columns are chosen by `take` and `compress`, several times faster than by an index.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import numpy as np

from tsdb.encoding import POWERS_OF_TEN, Constant, Decimals, Deltas, Offsets, Plain, Runs, Stripe
from tsdb.sample import BoolArray, FloatArray, IntArray, is_absent, is_stale

Encoded: TypeAlias = Iterator[tuple[IntArray, Stripe]]
"""Positions of columns, and the stripe that holds them in this order."""

_RUN_BYTES: Final = 9
_FEW_ROWS: Final = 6
_MAX_WHOLE: Final = 2.0**52
"""Up to here sums of whole numbers are exact, also with an offset too many."""


def encode(values: FloatArray) -> list[tuple[IntArray, Stripe]]:
    """All columns of `values[row, column]`, by kind. Requires: at most 255 rows."""
    encoded: list[tuple[IntArray, Stripe]] = []
    left = np.arange(values.shape[1])
    with np.errstate(all="ignore"):  # infinities and NaN fail the tests, and that is what these are for
        for form in _FORMS:
            taken = np.zeros(len(left), dtype=np.bool_)
            for at, stripe in form(values) if len(left) else ():
                if len(at):
                    encoded.append((left[at], stripe))
                    taken[at] = True
            if taken.any():
                left, values = left[~taken], values.compress(~taken, axis=1)
    return encoded


def _constants(values: FloatArray) -> Encoded:
    constant = _changes(values) == 0
    single = _is_single(values[:1])
    at = np.flatnonzero(constant & single)
    yield at, Constant(values[0, at].astype(np.float32))
    at = np.flatnonzero(constant & ~single)
    yield at, Constant(values[0, at])


def _short_runs(values: FloatArray) -> Encoded:
    """Columns that take no more than a byte a sample as runs."""
    at = np.flatnonzero(_run_bytes(values) <= len(values))
    yield at, _runs(values.take(at, axis=1))


def _whole_numbers(values: FloatArray) -> Encoded:
    at = np.flatnonzero(_is_whole(values).all(axis=0))
    for among, stripe in _integers(values.take(at, axis=1)):
        yield at[among], stripe


def _whole_numbers_with_gaps(values: FloatArray) -> Encoded:
    absent, stale = is_absent(values), is_stale(values)
    gaps = absent | stale
    at = np.flatnonzero(gaps.any(axis=0) & (gaps | _is_whole(values)).all(axis=0) & ~gaps.all(axis=0))
    if not len(at):
        return
    absent, stale, gaps = absent.take(at, axis=1), stale.take(at, axis=1), gaps.take(at, axis=1)
    values = values.take(at, axis=1)
    bases = np.where(gaps, np.inf, values).min(axis=0)
    offsets = np.where(gaps, 0.0, values - bases)
    spans = offsets.max(axis=0)
    left = np.ones(len(at), dtype=np.bool_)
    for dtype in (np.uint8, np.uint16, np.uint32):
        absent_code = np.iinfo(dtype).max
        among = np.flatnonzero(left & (spans < absent_code - 1))
        narrow = offsets.take(among, axis=1).astype(dtype)
        narrow[absent.take(among, axis=1)] = absent_code
        narrow[stale.take(among, axis=1)] = absent_code - 1
        yield at[among], Offsets(bases[among], narrow, has_gaps=True)
        left[among] = False


def _decimals(values: FloatArray) -> Encoded:
    """Columns whose values are short decimal fractions, as most programs print them.

    How short is told from a few rows, then tried on all.
    """
    few = values[:: max(len(values) // _FEW_ROWS, 1)]
    exponents = np.zeros(values.shape[1], dtype=np.uint8)
    for exponent in range(len(POWERS_OF_TEN) - 1, 0, -1):
        candidates = np.flatnonzero(exponents == (exponent + 1) % len(POWERS_OF_TEN))
        fits = _are_decimals(few.take(candidates, axis=1), POWERS_OF_TEN[exponent])
        exponents[candidates[fits]] = exponent
    at = np.flatnonzero(exponents)
    values, exponents = values.take(at, axis=1), exponents[at]
    fits = _are_decimals(values, POWERS_OF_TEN[exponents])
    at, values, exponents = at[fits], values.compress(fits, axis=1), exponents[fits]
    for among, whole in _integers(np.rint(values * POWERS_OF_TEN[exponents])):
        yield at[among], Decimals(whole, exponents[among])


def _long_runs(values: FloatArray) -> Encoded:
    """Columns that are narrower as runs than as plain numbers."""
    plain_bytes = np.where(_is_single(values), 4, 8) * len(values)
    at = np.flatnonzero(_run_bytes(values) < plain_bytes)
    yield at, _runs(values.take(at, axis=1))


def _plain(values: FloatArray) -> Encoded:
    single = _is_single(values)
    at = np.flatnonzero(single)
    yield at, Plain(values.take(at, axis=1).astype(np.float32))
    at = np.flatnonzero(~single)
    yield at, Plain(values.take(at, axis=1))


_FORMS: Final[tuple[Callable[[FloatArray], Encoded], ...]] = (
    _constants,
    _short_runs,
    _whole_numbers,
    _whole_numbers_with_gaps,
    _decimals,
    _long_runs,
    _plain,
)


def _integers(values: FloatArray) -> Iterator[tuple[IntArray, Offsets | Deltas]]:
    """Whole numbers by width, none where four bytes are too few. Requires: not constant."""
    if not values.shape[1]:
        return
    bases = values.min(axis=0)
    spans = values.max(axis=0) - bases
    growth = np.diff(values, axis=0)
    steps = np.minimum(growth.min(axis=0), 0)
    growth_spans = growth.max(axis=0) - steps
    left = np.ones(len(bases), dtype=np.bool_)
    for kind, dtype in _WIDTHS:
        fits = (spans if kind is Offsets else growth_spans) <= np.iinfo(dtype).max
        at = np.flatnonzero(left & fits)
        left[at] = False
        if kind is Offsets:
            yield at, Offsets(bases[at], (values.take(at, axis=1) - bases[at]).astype(dtype))
        else:
            deltas = np.zeros((len(values), len(at)), dtype=dtype)
            deltas[1:] = growth.take(at, axis=1) - steps[at]
            yield at, Deltas(values[0, at], steps[at], deltas)


_WIDTHS: Final[tuple[tuple[type[Offsets | Deltas], Any], ...]] = (
    (Offsets, np.uint8),
    (Deltas, np.uint8),
    (Offsets, np.uint16),
    (Deltas, np.uint16),
    (Offsets, np.uint32),
)


def _runs(values: FloatArray) -> Runs:
    bits = np.ascontiguousarray(values.T).view(np.uint64)
    begins = np.ones(bits.shape, dtype=np.bool_)
    np.not_equal(bits[:, 1:], bits[:, :-1], out=begins[:, 1:])
    at = np.flatnonzero(begins)
    starts = np.zeros(len(bits) + 1, dtype=np.int32)
    np.cumsum(np.count_nonzero(begins, axis=1), out=starts[1:])
    lengths = np.diff(at, append=bits.size).astype(np.uint8)
    return Runs(starts, bits.ravel()[at].view(np.float64), lengths)


def _run_bytes(values: FloatArray) -> IntArray:
    run_bytes: IntArray = _RUN_BYTES * (_changes(values) + 1) + 4
    return run_bytes


def _changes(values: FloatArray) -> IntArray:
    """How many rows differ from the one before: int64[column]."""
    bits = values.view(np.uint64)
    changes: IntArray = np.count_nonzero(bits[1:] != bits[:-1], axis=0)
    return changes


def _is_whole(values: FloatArray) -> BoolArray:
    """Where values are whole numbers not too large, and not -0.0: bool[row, column]."""
    negative_zero = values.view(np.uint64) == np.uint64(1 << 63)
    whole: BoolArray = (np.rint(values) == values) & (np.abs(values) <= _MAX_WHOLE) & ~negative_zero
    return whole


def _are_decimals(values: FloatArray, powers: FloatArray) -> BoolArray:
    """Which columns come back from whole numbers divided by powers of ten: bool[column]."""
    whole = np.rint(values * powers) + 0.0  # of -0.0 that makes 0.0, which does not come back
    fits: BoolArray = (np.abs(whole).max(axis=0) <= _MAX_WHOLE) & _same_bits(whole / powers, values)
    return fits


def _is_single(values: FloatArray) -> BoolArray:
    """Which columns are exact in float32: bool[column]."""
    return _same_bits(values.astype(np.float32).astype(np.float64), values)


def _same_bits(some: FloatArray, others: FloatArray) -> BoolArray:
    """bool[column]: whether all rows agree."""
    same: BoolArray = (some.view(np.uint64) == others.view(np.uint64)).all(axis=0)
    return same
