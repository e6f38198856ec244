"""Remote write requests made by protobuf itself, from the published schema."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_PACKED = "packed"
_SINGLE = "single"
"""A message of type Metadata that is not repeated."""
_SCHEMA: Mapping[str, Sequence[tuple[str, int, int, str]]] = {
    "Label": [("name", 1, _FIELD.TYPE_STRING, ""), ("value", 2, _FIELD.TYPE_STRING, "")],
    "Sample": [("value", 1, _FIELD.TYPE_DOUBLE, ""), ("timestamp", 2, _FIELD.TYPE_INT64, "")],
    "Exemplar": [
        ("labels", 1, _FIELD.TYPE_MESSAGE, "Label"),
        ("value", 2, _FIELD.TYPE_DOUBLE, ""),
        ("timestamp", 3, _FIELD.TYPE_INT64, ""),
    ],
    "MetricMetadata": [
        ("type", 1, _FIELD.TYPE_INT32, ""),
        ("metric_family_name", 2, _FIELD.TYPE_STRING, ""),
        ("help", 4, _FIELD.TYPE_STRING, ""),
    ],
    "TimeSeries": [
        ("labels", 1, _FIELD.TYPE_MESSAGE, "Label"),
        ("samples", 2, _FIELD.TYPE_MESSAGE, "Sample"),
        ("exemplars", 3, _FIELD.TYPE_MESSAGE, "Exemplar"),
        ("histograms", 4, _FIELD.TYPE_MESSAGE, "Histogram"),
    ],
    "BucketSpan": [("offset", 1, _FIELD.TYPE_SINT32, ""), ("length", 2, _FIELD.TYPE_UINT32, "")],
    "Histogram": [
        ("count_int", 1, _FIELD.TYPE_UINT64, ""),
        ("count_float", 2, _FIELD.TYPE_DOUBLE, ""),
        ("sum", 3, _FIELD.TYPE_DOUBLE, ""),
        ("schema", 4, _FIELD.TYPE_SINT32, ""),
        ("zero_threshold", 5, _FIELD.TYPE_DOUBLE, ""),
        ("zero_count_int", 6, _FIELD.TYPE_UINT64, ""),
        ("zero_count_float", 7, _FIELD.TYPE_DOUBLE, ""),
        ("negative_spans", 8, _FIELD.TYPE_MESSAGE, "BucketSpan"),
        ("negative_deltas", 9, _FIELD.TYPE_SINT64, _PACKED),
        ("negative_counts", 10, _FIELD.TYPE_DOUBLE, _PACKED),
        ("positive_spans", 11, _FIELD.TYPE_MESSAGE, "BucketSpan"),
        ("positive_deltas", 12, _FIELD.TYPE_SINT64, _PACKED),
        ("positive_counts", 13, _FIELD.TYPE_DOUBLE, _PACKED),
        ("reset_hint", 14, _FIELD.TYPE_INT32, ""),
        ("timestamp", 15, _FIELD.TYPE_INT64, ""),
        ("custom_values", 16, _FIELD.TYPE_DOUBLE, _PACKED),
    ],
    "WriteRequest": [
        ("timeseries", 1, _FIELD.TYPE_MESSAGE, "TimeSeries"),
        ("metadata", 3, _FIELD.TYPE_MESSAGE, "MetricMetadata"),
    ],
}

_SCHEMA_V2: Mapping[str, Sequence[tuple[str, int, int, str]]] = {
    "Sample": [
        ("value", 1, _FIELD.TYPE_DOUBLE, ""),
        ("timestamp", 2, _FIELD.TYPE_INT64, ""),
        ("start_timestamp", 3, _FIELD.TYPE_INT64, ""),
    ],
    "Exemplar": [
        ("labels_refs", 1, _FIELD.TYPE_UINT32, _PACKED),
        ("value", 2, _FIELD.TYPE_DOUBLE, ""),
        ("timestamp", 3, _FIELD.TYPE_INT64, ""),
    ],
    "Metadata": [
        ("type", 1, _FIELD.TYPE_INT32, ""),
        ("help_ref", 3, _FIELD.TYPE_UINT32, ""),
        ("unit_ref", 4, _FIELD.TYPE_UINT32, ""),
    ],
    "BucketSpan": _SCHEMA["BucketSpan"],
    "Histogram": [*_SCHEMA["Histogram"], ("start_timestamp", 17, _FIELD.TYPE_INT64, "")],
    "TimeSeries": [
        ("labels_refs", 1, _FIELD.TYPE_UINT32, _PACKED),
        ("samples", 2, _FIELD.TYPE_MESSAGE, "Sample"),
        ("histograms", 3, _FIELD.TYPE_MESSAGE, "Histogram"),
        ("exemplars", 4, _FIELD.TYPE_MESSAGE, "Exemplar"),
        ("metadata", 5, _FIELD.TYPE_MESSAGE, _SINGLE),
    ],
    "Request": [
        ("symbols", 4, _FIELD.TYPE_STRING, _PACKED),
        ("timeseries", 5, _FIELD.TYPE_MESSAGE, "TimeSeries"),
    ],
}

Series = tuple[Mapping[str, str], Sequence[tuple[int, float]]]
"""Labels, and samples as (timestamp_ms, value)."""


def encode(series: Sequence[Series], *, metadata: bool = False, exemplars: bool = False) -> bytes:
    """A WriteRequest."""
    request = _write_request()()
    for labels, samples in series:
        one = request.timeseries.add()
        for name, value in labels.items():
            one.labels.add(name=name, value=value)
        for timestamp_ms, number in samples:
            one.samples.add(value=number, timestamp=timestamp_ms)
            if exemplars:
                one.exemplars.add(value=1.5, timestamp=timestamp_ms).labels.add(name="trace_id", value="t")
    if metadata:
        request.metadata.add(type=1, metric_family_name="up", help="Whether it answers.")
    body: bytes = request.SerializeToString()
    return body


def encode_histogram(labels: Mapping[str, str], **fields: Any) -> bytes:
    """A WriteRequest with one native histogram; `fields` are those of the message."""
    request = _write_request()()
    one = request.timeseries.add()
    for name, value in labels.items():
        one.labels.add(name=name, value=value)
    histogram = one.histograms.add()
    for side in ("negative_spans", "positive_spans"):
        for offset, length in fields.pop(side, ()):
            getattr(histogram, side).add(offset=offset, length=length)
    for name, value in fields.items():
        if isinstance(value, list):
            getattr(histogram, name).extend(value)
        else:
            setattr(histogram, name, value)
    body: bytes = request.SerializeToString()
    return body


def packed(body: bytes) -> bytes:
    """A snappy block."""
    return bytes(cramjam.snappy.compress_raw(body))


class RequestV2:
    """A remote write 2.0 request that grows, made by protobuf itself."""

    def __init__(self) -> None:
        self.message = _message_class("v2.proto", "v2", _SCHEMA_V2, "Request")()
        self.message.symbols.append("")

    def series(self, labels: Mapping[str, str]) -> Any:
        """A new TimeSeries with these labels; fill it by hand."""
        one = self.message.timeseries.add()
        for text in (text for pair in labels.items() for text in pair):
            if text not in self.message.symbols:
                self.message.symbols.append(text)
            one.labels_refs.append(list(self.message.symbols).index(text))
        return one

    def sample(self, labels: Mapping[str, str], timestamp_ms: int, value: float) -> Any:
        """A new TimeSeries with one sample."""
        one = self.series(labels)
        one.samples.add(value=value, timestamp=timestamp_ms, start_timestamp=timestamp_ms - 1000)
        return one

    def packed(self) -> bytes:
        return packed(self.message.SerializeToString())


def _write_request() -> Callable[[], Any]:
    return _message_class("write.proto", "prometheus", _SCHEMA, "WriteRequest")


_pools: dict[str, Callable[[], Any]] = {}


def _message_class(
    file_name: str, package: str, schema: Mapping[str, Sequence[tuple[str, int, int, str]]], wanted: str
) -> Callable[[], Any]:
    if wanted in _pools:
        return _pools[wanted]
    file = descriptor_pb2.FileDescriptorProto(name=file_name, package=package, syntax="proto3")
    for message, fields in schema.items():
        described = file.message_type.add(name=message)
        for name, number, kind, of in fields:
            field = described.field.add(name=name, number=number, type=kind)
            repeated = of not in ("", _SINGLE)
            field.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            if kind == _FIELD.TYPE_MESSAGE:
                field.type_name = f".{package}.{'Metadata' if of == _SINGLE else of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    _pools[wanted] = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{wanted}"))
    return _pools[wanted]
