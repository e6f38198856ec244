"""Remote write 2.0 requests: snappy and protobuf to samples.

    Request    { repeated string symbols = 4; repeated TimeSeries timeseries = 5; }
    TimeSeries { repeated uint32 labels_refs = 1; repeated Sample samples = 2;
                 repeated Histogram histograms = 3; repeated Exemplar exemplars = 4; Metadata metadata = 5; }
    Sample     { double value = 1; int64 timestamp = 2; int64 start_timestamp = 3; }

References are positions in `symbols`. The labels are written as 1.0 writes them, which is what a series
is known by; start timestamps, exemplars and metadata are not read.
"""

from collections.abc import Sequence

from collector.protobuf.wire import BYTES, WireError, fields, packed_varints, write_varint
from miniprom.remote_write.batch import Gathering, WriteBatch
from miniprom.remote_write.histogram import decode_histogram
from miniprom.remote_write.request import decode_sample
from tsdb.histogram import FloatHistogram


class _Symbols:
    """The strings of a request, and the pairs of them that were used as labels."""

    def __init__(self, strings: Sequence[bytes]) -> None:
        self._strings = strings
        self._labels: dict[tuple[int, int], bytes] = {}

    def raw_labels(self, refs: Sequence[int]) -> bytes:
        """Labels as in 1.0. Raises `WireError`."""
        if len(refs) % 2:
            raise WireError(f"invalid labelRefs length {len(refs)}")
        return b"".join([self._label(pair) for pair in zip(refs[::2], refs[1::2], strict=True)])

    def _label(self, pair: tuple[int, int]) -> bytes:
        raw = self._labels.get(pair)
        if raw is None:
            name, value = pair
            if max(pair) >= len(self._strings):
                size = len(self._strings)
                raise WireError(
                    f"labelRefs {name} (name) = {value} (value) outside of symbols table (size {size})"
                )
            label = _field(1, self._strings[name]) + _field(2, self._strings[value])
            raw = self._labels[pair] = _field(1, label)
        return raw


def decode_v2(body: bytes) -> WriteBatch:
    """The samples of a Request; what is wrong with single series is in `problems`. Raises `WireError`."""
    series: list[tuple[int, int]] = []
    strings: list[bytes] = []
    for number, start, end in fields(body, 0, len(body)):
        if number == 4:
            strings.append(body[start:end])
        elif number == 5:
            series.append((start, end))
    symbols = _Symbols(strings)
    gathering = Gathering()
    for start, end in series:
        _decode_series(body, start, end, symbols, gathering)
    return gathering.batch()


def _decode_series(body: bytes, start: int, end: int, symbols: _Symbols, gathering: Gathering) -> None:
    refs: list[int] = []
    samples: list[tuple[bytes, int]] = []
    histograms: list[tuple[int, FloatHistogram]] = []
    sent = 0
    for number, begin, stop in fields(body, start, end):
        if number == 1:
            refs += packed_varints(body, begin, stop)
        elif number == 2:
            sent += 1
            samples.append(decode_sample(body, begin, stop))
        elif number == 3:
            sent += 1
            try:
                histograms.append(decode_histogram(body, begin, stop))
            except WireError as error:
                gathering.problems.append(f"{error} for series {refs}")
    try:
        raw_labels = symbols.raw_labels(refs)
    except WireError as error:
        gathering.problems.append(f"parsing labels for series {refs}: {error}")
        return
    if not sent:
        gathering.problems.append(
            f"TimeSeries must contain at least one sample or histogram for series {refs}"
        )
    gathering.add(raw_labels, samples, histograms)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | BYTES]) + write_varint(len(content)) + content
