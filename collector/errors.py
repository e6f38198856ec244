"""Errors of the collector; all derive from `CollectorError`."""

from typing import Final

_SHOWN_LENGTH: Final = 120


class CollectorError(Exception):
    """Base of every error that `collector` raises."""


class UnitError(CollectorError, ValueError):
    """A duration or a size that can't be read."""


class ConfigError(CollectorError, ValueError):
    """Settings that contradict each other or the format; `key` names the one to blame, if one is."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class TargetError(CollectorError):
    """A target that can't be made from what was discovered, after relabelling."""


class DiscoveryError(CollectorError):
    """Why a look for targets failed; the targets found before stay."""


class ScrapeError(CollectorError):
    """Why a scrape failed, in the words that the API shows as `lastError`."""


class HttpError(CollectorError):
    """An answer that is no HTTP response, or only the beginning of one."""


class BodySizeError(ScrapeError):
    """A body larger than the job allows."""

    def __init__(self) -> None:
        super().__init__("body size limit exceeded")


class SampleLimitError(ScrapeError):
    """More samples, after relabelling, than the job allows."""

    def __init__(self) -> None:
        super().__init__("sample limit exceeded")


class BucketLimitError(ScrapeError):
    """A native histogram with more buckets than the job allows, at whatever resolution."""

    def __init__(self) -> None:
        super().__init__("histogram bucket limit exceeded")


class LabelLimitError(ScrapeError):
    """A series with more or longer labels than the job allows."""


class ExpositionError(CollectorError, ValueError):
    """A body that is not of its format; `line_number` counts from 1, `column` too."""

    def __init__(self, line_number: int, line: bytes, column: int, expected: str) -> None:
        shown = line.decode(errors="backslashreplace")
        if len(shown) > _SHOWN_LENGTH:
            shown = shown[:_SHOWN_LENGTH] + "..."
        super().__init__(f"line {line_number}, column {column}: expected {expected}: {shown!r}")
        self.line_number = line_number
        self.line = shown
        self.column = column
        self.expected = expected


class ContentTypeError(CollectorError, ValueError):
    """A scrape's Content-Type that names no exposition format, where no fallback is configured."""
