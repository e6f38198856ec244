"""Bodies of the protobuf format, made by protobuf itself from the published schema (proto2)."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_DOUBLE, _UINT, _STRING = _FIELD.TYPE_DOUBLE, _FIELD.TYPE_UINT64, _FIELD.TYPE_STRING
_REPEATED = "repeated"
COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM = range(6)

_SCHEMA: Mapping[str, Sequence[tuple[str, int, int, str]]] = {
    "LabelPair": [("name", 1, _STRING, ""), ("value", 2, _STRING, "")],
    "Gauge": [("value", 1, _DOUBLE, "")],
    "Exemplar": [("label", 1, _FIELD.TYPE_MESSAGE, "*LabelPair"), ("value", 2, _DOUBLE, "")],
    "Counter": [("value", 1, _DOUBLE, ""), ("exemplar", 2, _FIELD.TYPE_MESSAGE, "Exemplar")],
    "Untyped": [("value", 1, _DOUBLE, "")],
    "Quantile": [("quantile", 1, _DOUBLE, ""), ("value", 2, _DOUBLE, "")],
    "Summary": [
        ("sample_count", 1, _UINT, ""),
        ("sample_sum", 2, _DOUBLE, ""),
        ("quantile", 3, _FIELD.TYPE_MESSAGE, "*Quantile"),
    ],
    "Bucket": [
        ("cumulative_count", 1, _UINT, ""),
        ("upper_bound", 2, _DOUBLE, ""),
        ("exemplar", 3, _FIELD.TYPE_MESSAGE, "Exemplar"),
        ("cumulative_count_float", 4, _DOUBLE, ""),
    ],
    "BucketSpan": [("offset", 1, _FIELD.TYPE_SINT32, ""), ("length", 2, _FIELD.TYPE_UINT32, "")],
    "Histogram": [
        ("sample_count", 1, _UINT, ""),
        ("sample_sum", 2, _DOUBLE, ""),
        ("bucket", 3, _FIELD.TYPE_MESSAGE, "*Bucket"),
        ("sample_count_float", 4, _DOUBLE, ""),
        ("schema", 5, _FIELD.TYPE_SINT32, ""),
        ("zero_threshold", 6, _DOUBLE, ""),
        ("zero_count", 7, _UINT, ""),
        ("zero_count_float", 8, _DOUBLE, ""),
        ("negative_span", 9, _FIELD.TYPE_MESSAGE, "*BucketSpan"),
        ("negative_delta", 10, _FIELD.TYPE_SINT64, _REPEATED),
        ("negative_count", 11, _DOUBLE, _REPEATED),
        ("positive_span", 12, _FIELD.TYPE_MESSAGE, "*BucketSpan"),
        ("positive_delta", 13, _FIELD.TYPE_SINT64, _REPEATED),
        ("positive_count", 14, _DOUBLE, _REPEATED),
    ],
    "Metric": [
        ("label", 1, _FIELD.TYPE_MESSAGE, "*LabelPair"),
        ("gauge", 2, _FIELD.TYPE_MESSAGE, "Gauge"),
        ("counter", 3, _FIELD.TYPE_MESSAGE, "Counter"),
        ("summary", 4, _FIELD.TYPE_MESSAGE, "Summary"),
        ("untyped", 5, _FIELD.TYPE_MESSAGE, "Untyped"),
        ("timestamp_ms", 6, _FIELD.TYPE_INT64, ""),
        ("histogram", 7, _FIELD.TYPE_MESSAGE, "Histogram"),
    ],
    "MetricFamily": [
        ("name", 1, _STRING, ""),
        ("help", 2, _STRING, ""),
        ("type", 3, _FIELD.TYPE_INT32, ""),
        ("metric", 4, _FIELD.TYPE_MESSAGE, "*Metric"),
        ("unit", 5, _STRING, ""),
    ],
}


def body(*families: Mapping[str, Any]) -> bytes:
    """Delimited messages; a family is its fields as nested mappings, `labels` of a metric a mapping."""
    encoded = []
    for fields in families:
        family = _family_type()()
        _fill(family, fields)
        message = family.SerializeToString()
        encoded.append(_varint(len(message)) + message)
    return b"".join(encoded)


def family(name: str, kind: int, *metrics: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "metric": list(metrics), **fields}


def _fill(message: Any, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if name == "labels":
            for label, text in value.items():
                message.label.add(name=label, value=text)
        elif isinstance(value, Mapping):
            getattr(message, name).SetInParent()
            _fill(getattr(message, name), value)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for item in value:
                _fill(getattr(message, name).add(), item)
        elif isinstance(value, list):
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


@cache
def _family_type() -> Callable[[], Any]:
    package = "io.prometheus.client"
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package=package, syntax="proto2")
    for message, fields in _SCHEMA.items():
        described = file.message_type.add(name=message)
        for name, number, kind, of in fields:
            field = described.field.add(name=name, number=number, type=kind)
            is_repeated = of.startswith("*") or of == _REPEATED
            field.label = _FIELD.LABEL_REPEATED if is_repeated else _FIELD.LABEL_OPTIONAL
            if of not in ("", _REPEATED):
                field.type_name = f".{package}.{of.removeprefix('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.MetricFamily"))
