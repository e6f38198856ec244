"""Seeded samples that every program under test is given alike."""

from collections.abc import Iterator
from dataclasses import dataclass

import cramjam
import numpy as np

from tsdb import Labels, Matcher, MatchOp, Store, is_absent, labels_from
from tsdb.sample import FloatArray, IntArray

PODS = 100


@dataclass(frozen=True)
class Dataset:
    """Series on one time grid: `values[row, series]`, ABSENT where there is no sample."""

    series: list[Labels]
    timestamps_ms: IntArray
    values: FloatArray


def counters(series: int, *, end_ms: int, rows: int, interval_ms: int, seed: int = 1) -> Dataset:
    """`requests_total` counters of `PODS` pods and as many paths as it takes; 1 series in 50 resets once."""
    random = np.random.default_rng(seed)
    labels = [
        labels_from(
            {
                "__name__": "requests_total",
                "job": "bench",
                "instance": f"10.0.{number % PODS}.1:8080",
                "pod": f"pod-{number % PODS}",
                "path": f"/api/{number // PODS}",
                "code": ("200", "200", "404", "500")[number % 4],
            }
        )
        for number in range(series)
    ]
    values = np.cumsum(random.poisson(5.0, size=(rows, series)), axis=0).astype(np.float64)
    for column in range(0, series, 50):
        row = int(random.integers(1, rows))
        values[row:, column] -= values[row, column]
    return Dataset(labels, _grid(end_ms, rows, interval_ms), values)


def histograms(count: int, *, end_ms: int, rows: int, interval_ms: int, seed: int = 2) -> Dataset:
    """`latency_seconds_bucket`: `count` histograms of 12 buckets."""
    random = np.random.default_rng(seed)
    bounds = [*(f"{0.005 * 2**power:g}" for power in range(11)), "+Inf"]
    labels = [
        labels_from(
            {
                "__name__": "latency_seconds_bucket",
                "job": "bench",
                "pod": f"pod-{number % PODS}",
                "path": f"/api/{number // PODS}",
                "le": bound,
            }
        )
        for number in range(count)
        for bound in bounds
    ]
    observed = random.poisson(0.5, size=(rows, count, len(bounds)))
    values = np.cumsum(np.cumsum(observed, axis=2), axis=0).reshape(rows, -1).astype(np.float64)
    return Dataset(labels, _grid(end_ms, rows, interval_ms), values)


def pod_info(*, end_ms: int, rows: int, interval_ms: int) -> Dataset:
    """`pod_info`: the team of each pod that `counters` counts for; always 1."""
    labels = [
        labels_from({"__name__": "pod_info", "job": "teams", "pod": f"pod-{pod}", "team": f"team-{pod % 7}"})
        for pod in range(PODS)
    ]
    return Dataset(labels, _grid(end_ms, rows, interval_ms), np.ones((rows, PODS)))


def merged(one: Dataset, other: Dataset) -> Dataset:
    """Both. Requires: one grid."""
    return Dataset(
        one.series + other.series, one.timestamps_ms, np.concatenate((one.values, other.values), axis=1)
    )


def stored(store: Store) -> Iterator[Dataset]:
    """All samples of a store, those on one time grid together."""
    everything = (Matcher("__name__", MatchOp.NOT_EQUAL, ""),)
    selection = store.snapshot(0).select(everything, 0, 1 << 62)
    labels = selection.labels.series()
    for slab in selection.slabs:
        yield Dataset([labels[row] for row in slab.series.tolist()], slab.timestamps_ms, slab.read())


def remote_write_requests(data: Dataset, *, rows: int = 20, series: int = 500) -> Iterator[bytes]:
    """The samples as remote-write 1.0 bodies, in the order of time: Prometheus takes no other."""
    prefixes = [b"".join(_field(1, _label(name, value)) for name, value in labels) for labels in data.series]
    for first_row in range(0, len(data.timestamps_ms), rows):
        times_ms = data.timestamps_ms[first_row : first_row + rows]
        block = data.values[first_row : first_row + rows]
        for first in range(0, len(data.series), series):
            samples = _samples(times_ms, block[:, first : first + series])
            message = b"".join(map(_time_series, prefixes[first : first + series], samples))
            yield bytes(cramjam.snappy.compress_raw(message))


def _grid(end_ms: int, rows: int, interval_ms: int) -> IntArray:
    return np.arange(end_ms - (rows - 1) * interval_ms, end_ms + 1, interval_ms, dtype=np.int64)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(payload)) + payload


def _label(name: str, value: str) -> bytes:
    return _field(1, name.encode()) + _field(2, value.encode())


def _time_series(labels: bytes, samples: bytes) -> bytes:
    return _field(1, labels + samples)


def _samples(times_ms: IntArray, values: FloatArray) -> list[bytes]:
    """Of each column `repeated Sample samples = 2 { double value = 1; int64 timestamp = 2; }`; no zeros."""
    digits = times_ms[:, None] >> 7 * np.arange(6) & 0x7F | [0x80, 0x80, 0x80, 0x80, 0x80, 0]
    cells = np.zeros(values.shape[::-1], dtype=_SAMPLE)
    cells["value"], cells["time_tag"], cells["time"] = values.T, 0x10, digits
    is_zero = ((values == 0) & ~np.signbit(values)).T
    cells["head"] = np.where(is_zero, b"\x12\x07\x09", b"\x12\x10\x09")
    sent = np.zeros((*cells.shape, _SAMPLE.itemsize), dtype=np.bool_)
    sent[~is_absent(values).T] = True
    sent[is_zero, 2:11] = False
    content = cells.view(np.uint8).reshape(sent.shape)
    ends = np.cumsum(np.count_nonzero(sent, axis=(1, 2))).tolist()
    joined = content[sent].tobytes()
    return [joined[start:end] for start, end in zip([0, *ends], ends, strict=False)]


_SAMPLE = np.dtype([("head", "S3"), ("value", "<f8"), ("time_tag", "u1"), ("time", "u1", 6)])
