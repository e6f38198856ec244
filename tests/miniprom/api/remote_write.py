"""Remote write requests made by protobuf itself, from the published schema."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
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
    ],
    "WriteRequest": [
        ("timeseries", 1, _FIELD.TYPE_MESSAGE, "TimeSeries"),
        ("metadata", 3, _FIELD.TYPE_MESSAGE, "MetricMetadata"),
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


def packed(body: bytes) -> bytes:
    """A snappy block."""
    return bytes(cramjam.snappy.compress_raw(body))


@cache
def _write_request() -> Callable[[], Any]:
    file = descriptor_pb2.FileDescriptorProto(name="write.proto", package="prometheus", syntax="proto3")
    for message, fields in _SCHEMA.items():
        described = file.message_type.add(name=message)
        for name, number, kind, of in fields:
            field = described.field.add(name=name, number=number, type=kind)
            field.label = _FIELD.LABEL_REPEATED if of else _FIELD.LABEL_OPTIONAL
            if of:
                field.type_name = f".prometheus.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("prometheus.WriteRequest"))
