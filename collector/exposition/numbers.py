"""Numbers in an exposition: what Go's ParseFloat accepts, without its underscores and hexadecimals."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from tsdb.numbers import format_number
from tsdb.sample import FloatArray

# number = [sign] ( digits [ "." *digit ] / "." digits ) [ "e" [sign] digits ]
#        / [sign] ( "inf" / "infinity" ) / "nan"
_NUMBER: Final = re.compile(
    rb"[+-]?+(?:(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:e[+-]?+[0-9]++)?|inf(?:inity)?)|nan",
    re.IGNORECASE,
)
_PLAIN_BYTES: Final = b"0123456789.eE+-"
_MAX_TIMESTAMP_MS: Final = 2**63 - 1


def parse_value(text: bytes) -> float:
    """A sample's value. Raises ValueError if it is no number, or one too large for a float64."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    value = float(text)
    if math.isinf(value) and b"n" not in text.lower():
        raise ValueError("out of range")
    return value


def parse_values(texts: Sequence[bytes]) -> FloatArray:
    """The same for many: fast where all are plain digits. Raises ValueError if one is no number."""
    if not b"".join(texts).translate(None, _PLAIN_BYTES):
        values = np.fromiter(map(float, texts), np.float64, len(texts))
        if np.isfinite(values).all():
            return values
    return np.array(list(map(parse_value, texts)))


def milliseconds(text: bytes) -> int:
    """A timestamp of the text format. Raises ValueError if it doesn't fit an int64."""
    if not text.isdigit() or (timestamp_ms := int(text)) > _MAX_TIMESTAMP_MS:
        raise ValueError("not a time")
    return timestamp_ms


def seconds(text: bytes) -> int:
    """A timestamp of OpenMetrics, in whole milliseconds. Raises ValueError if it doesn't fit an int64."""
    timestamp_ms = parse_value(text) * 1000
    if not abs(timestamp_ms) < _MAX_TIMESTAMP_MS:
        raise ValueError("not a time")
    return int(timestamp_ms)


@lru_cache(maxsize=1024)
def canonical_bound(text: str) -> str:
    """`le` and `quantile` as OpenMetrics writes them ("1" is "1.0"); what is no number stays."""
    try:
        value = parse_value(text.encode())
    except ValueError:
        return text
    if value == 0:
        return "0.0"
    canonical = format_number(value)
    return canonical if set(canonical) & set(".eNI") else canonical + ".0"
