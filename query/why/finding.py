"""What is found, and the words it is told in."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import Enum
from typing import Final

from query.execution.matching import shown_labels
from query.language.ast import Expr, Span
from query.language.literals import quote
from query.language.printer import format_expr
from tsdb import METRIC_NAME, Labels

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(Enum):
    """The sorts of causes."""

    EMPTY_STORE = "empty_store"
    UNKNOWN_METRIC = "unknown_metric"
    UNKNOWN_LABEL = "unknown_label"
    UNKNOWN_VALUE = "unknown_value"
    EXCLUDED = "excluded"
    COMBINATION = "combination"
    NOT_KEPT = "not_kept"
    STALE = "stale"
    NO_SAMPLE = "no_sample"
    SHORT_RANGE = "short_range"
    FILTERED = "filtered"
    LABELS_DIFFER = "labels_differ"
    TIMES_DIFFER = "times_differ"
    EXCLUDED_BY_UNLESS = "excluded_by_unless"
    NOT_ABSENT = "not_absent"
    NOTHING_ASKED = "nothing_asked"
    NO_BUCKETS = "no_buckets"
    WRONG_SAMPLES = "wrong_samples"
    NOT_ONE_SERIES = "not_one_series"
    NOT_A_NUMBER = "not_a_number"


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause: `expr` is the part of the query that it lies in, `span` where that stands in the text."""

    kind: Kind
    expr: str
    span: Span
    text: str

    @staticmethod
    def of(kind: Kind, expr: Expr, text: str) -> "Finding":
        """A finding about a part of the query."""
        return Finding(kind, format_expr(expr), expr.span, text)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether a query has no sample at any step, and why it has none, or nothing but NaN."""

    empty: bool
    findings: tuple[Finding, ...]


def moment(time_ms: int) -> str:
    """A time as RFC 3339."""
    try:
        time = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:
        return f"{time_ms / 1000:.15g}"
    fraction = f".{time.microsecond // 1000:03d}" if time.microsecond else ""
    return f"{time:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def listed(values: Collection[str], most: int = 5) -> str:
    """A few of the values, quoted."""
    shown = [quote(value) for value in sorted(values)[:most]]
    rest = f" and {len(values) - most} more" if len(values) > most else ""
    return ", ".join(shown) + rest


def nearest(name: str, known: Iterable[str]) -> str:
    """What may have been meant, as the end of a sentence; "" if nothing is like it."""
    known = list(known)
    near = get_close_matches(name, known, n=3)
    near = near or sorted((each for each in known if name and (name in each or each in name)), key=len)[:3]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def counted(count: int, what: str = "series", plural: str = "series") -> str:
    """`1 series`, `3 samples`."""
    return f"{count:,} {what if count == 1 else plural}"


def all_of(count: int, what: str = "series", plural: str = "series") -> str:
    """`the only series`, `all 3 series`."""
    return f"the only {what}" if count == 1 else f"all {counted(count, what, plural)}"


def shown_series(labels: Labels) -> str:
    """A series as a selector would name it."""
    pairs = dict(labels)
    name = pairs.pop(METRIC_NAME, "")
    return name + (shown_labels(tuple(pairs.items())) if pairs or not name else "")
