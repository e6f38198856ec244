"""Which format a scrape's body is in, by its Content-Type."""

from enum import Enum, auto
from typing import Final, TypeAlias

from collector.errors import ContentTypeError
from collector.exposition.format import Format
from collector.exposition.openmetrics import OPENMETRICS
from collector.exposition.text import TEXT


class Binary(Enum):
    """Formats that are not made of lines."""

    PROTOBUF = auto()


BodyFormat: TypeAlias = Format | Binary

_FORMATS: Final[dict[str, BodyFormat]] = {
    "text/plain": TEXT,
    "application/openmetrics-text": OPENMETRICS,
    "application/vnd.google.protobuf": Binary.PROTOBUF,
}


def format_of(content_type: str, fallback: BodyFormat | None = None) -> BodyFormat:
    """The format that a Content-Type names, or else the fallback. Raises ContentTypeError without either.

    Upstream: extractMediaType in model/textparse/interface.go.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    form = _FORMATS.get(media_type, fallback)
    if form is None:
        got = f"unsupported Content-Type {content_type!r}" if content_type else "no Content-Type"
        expected = " or ".join(_FORMATS)
        raise ContentTypeError(f"target sent {got}, expected {expected}; fallback_scrape_protocol is not set")
    return form
