"""One series of an answer."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from miniprom.testing.times import moment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = array[float] | NDArray[np.float64]

METRIC_NAME: Final = "__name__"
_SHOWN_SAMPLES: Final = 6


@dataclass(frozen=True)
class Bucket:
    """Observations between two bounds; `boundaries` tells which of them are inclusive, as the API does."""

    boundaries: int
    lower: float
    upper: float
    count: float


@dataclass(frozen=True)
class Histogram:
    """A native histogram: buckets from the lowest to the highest, empty ones left out."""

    count: float
    sum: float
    buckets: tuple[Bucket, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Series:
    """Labels and samples in the order of time. Two are equal by their content."""

    labels: Mapping[str, str]
    timestamp_buffer: "Floats"
    value_buffer: "Floats"
    histograms: tuple[tuple[float, Histogram], ...] = ()
    """Time and value of the samples that are native histograms."""

    @property
    def timestamps(self) -> list[float]:
        """Unix seconds of the float samples."""
        return self.timestamp_buffer.tolist()

    @property
    def values(self) -> list[float]:
        """The float samples."""
        return self.value_buffer.tolist()

    def to_numpy(self) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
        """Timestamps (unix seconds) and values as float64 arrays, not copied."""
        import numpy as np  # noqa: PLC0415  the client needs none

        return np.asarray(self.timestamp_buffer), np.asarray(self.value_buffer)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Series):
            return NotImplemented
        return self._comparable() == other._comparable()

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.labels.items())))

    def __repr__(self) -> str:
        return f"<Series {labels_text(self.labels)}  {self.samples_text()}>"

    def samples_text(self) -> str:
        """The samples, the middle left out where there are many."""
        shown = [number_text(value) for value in self.values]
        shown += [f"histogram of {number_text(value.count)}" for _, value in self.histograms]
        if len(shown) == 1:
            return shown[0]
        if len(shown) > _SHOWN_SAMPLES:
            shown[_SHOWN_SAMPLES // 2 : -(_SHOWN_SAMPLES // 2)] = ["..."]
        times = [*self.timestamps, *(time for time, _ in self.histograms)]
        span = f"  ({len(times)} samples, {moment(min(times))} to {moment(max(times))})" if times else ""
        return " ".join(shown) + span

    def _comparable(self) -> tuple[object, ...]:
        return dict(self.labels), self.timestamps, self.values, self.histograms


def series_from_json(item: Mapping[str, Any]) -> Series:
    """A series as the API writes it: `value` or `values`, `histogram` or `histograms`."""
    points = [item["value"]] if "value" in item else item.get("values", ())
    histograms = [item["histogram"]] if "histogram" in item else item.get("histograms", ())
    return Series(
        item["metric"],
        array("d", (point[0] for point in points)),
        array("d", (float(point[1]) for point in points)),
        tuple((float(time), _histogram(value)) for time, value in histograms),
    )


def labels_text(labels: Mapping[str, str]) -> str:
    """As a selector is written: `up{job="a"}`."""
    name = labels.get(METRIC_NAME, "")
    inner = ", ".join(f'{key}="{_escaped(labels[key])}"' for key in sorted(labels) if key != METRIC_NAME)
    return f"{name}{{{inner}}}" if inner or not name else name


def listed(items: Iterable[object], limit: int = 10) -> str:
    """One a line, the last ones counted where there are many."""
    texts = [f"  {item}" for item in items]
    if len(texts) > limit:
        texts[limit:] = [f"  ... and {len(texts) - limit} more"]
    return "\n".join(texts)


def number_text(value: float) -> str:
    """Short: whole numbers without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _histogram(value: Mapping[str, Any]) -> Histogram:
    buckets: Sequence[Sequence[Any]] = value.get("buckets", ())
    return Histogram(
        float(value["count"]),
        float(value["sum"]),
        tuple(Bucket(int(kind), float(low), float(high), float(count)) for kind, low, high, count in buckets),
    )
