"""Samples as tests hold them: in lists, `array.array`, or arrays of libraries not imported here."""

import base64
import struct
import sys
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from miniprom.testing.errors import TestingError
from miniprom.testing.times import Time, time_on_wire


@dataclass(frozen=True)
class Samples:
    """One series: its labels (with `__name__`), times and values, as many of one as of the other.

    Times are numbers (unix seconds), texts, `datetime`s, or an array of numbers or of datetime64.
    """

    labels: Mapping[str, str]
    timestamps: Iterable[Time]
    values: Iterable[float]


def samples_on_wire(samples: Samples) -> dict[str, Any]:
    """A series as the control API takes it: arrays as base64, everything else as JSON numbers."""
    wire: dict[str, Any] = {"labels": dict(samples.labels)}
    raw_times, raw_values = _milliseconds(samples.timestamps), _floats(samples.values)
    if raw_times is None:
        wire["timestamps"] = [time_on_wire(time) for time in samples.timestamps]
    else:
        wire["timestamps_b64"] = base64.b64encode(raw_times).decode()
    if raw_values is None:
        values = [float(value) for value in samples.values]
        raw_values = struct.pack(f"<{len(values)}d", *values)
    wire["values_b64"] = base64.b64encode(raw_values).decode()
    return wire


def _floats(values: Any) -> bytes | None:
    """Little-endian float64 of an array; None for what is not one."""
    values = _as_array(values)
    if hasattr(values, "dtype"):
        raw: bytes = values.astype("<f8").tobytes()
        return raw
    if isinstance(values, array) and values.typecode == "d" and sys.byteorder == "little":
        return values.tobytes()
    return None


def _milliseconds(timestamps: Any) -> bytes | None:
    """Little-endian int64 of an array of unix seconds or of datetime64; None for what is not one."""
    timestamps = _as_array(timestamps)
    if not hasattr(timestamps, "dtype"):
        return None
    kind = timestamps.dtype.kind
    if kind == "M":
        timestamps = timestamps.astype("datetime64[ms]")
    elif kind in "iuf":
        timestamps = (timestamps * 1000.0).round()
    elif kind == "O":
        return None
    else:
        raise TestingError(f"timestamps of dtype {timestamps.dtype}; expected numbers or datetime64")
    raw: bytes = timestamps.astype("<i8").tobytes()
    return raw


def _as_array(values: Any) -> Any:
    """A column of pandas or polars as the array it holds."""
    return values.to_numpy() if hasattr(values, "to_numpy") else values
