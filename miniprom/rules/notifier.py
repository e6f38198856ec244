"""What is handed to whoever delivers alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tsdb import Labels


@dataclass(frozen=True)
class Alert:
    """A firing or a resolved alert, as Alertmanager's API v2 knows it.

    `labels` include the external ones, relabelled. `ends_at_ms` is in the future while the alert fires: when
    it counts as resolved if nothing more is heard of it.
    """

    labels: Labels
    annotations: Mapping[str, str]
    starts_at_ms: int
    ends_at_ms: int
    generator_url: str

    def is_resolved_at(self, now_ms: int) -> bool:
        """Whether it is over at a time."""
        return self.ends_at_ms <= now_ms


class Notifier(Protocol):
    """Delivers alerts. Called by the event loop; must return at once."""

    def send(self, alerts: Sequence[Alert]) -> None:
        """Take alerts over for delivery."""
        ...


class NoNotifier:
    """For programs that deliver nothing."""

    def send(self, alerts: Sequence[Alert]) -> None:
        """Forget them."""
