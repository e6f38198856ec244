"""Errors of the collector; all derive from `CollectorError`."""


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


class ScrapeError(CollectorError):
    """Why a scrape failed, in the words that the API shows as `lastError`."""
