"""What waits to be sent to one Alertmanager."""

from collections.abc import Iterable

from miniprom.rules import Alert
from tsdb import Labels


class AlertQueue:
    """Alerts in order of their coming, each once: a newer message about an alert takes the older one's place.

    So that while an Alertmanager is away, the queue holds what it missed, not how often it was said. Upstream
    keeps every message, and drops those whose sending failed.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: dict[Labels, Alert] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, alerts: Iterable[Alert]) -> int:
        """Take alerts over; how many older ones were dropped because there was no room."""
        self._waiting.update((alert.labels, alert) for alert in alerts)
        return self._hold_capacity()

    def take(self, most: int) -> list[Alert]:
        """The oldest alerts."""
        labels = list(self._waiting)[:most]
        return [self._waiting.pop(each) for each in labels]

    def put_back(self, alerts: Iterable[Alert]) -> int:
        """Alerts that were not taken go to the front, unless there is news of them; as `add`."""
        self._waiting = {alert.labels: alert for alert in alerts} | self._waiting
        return self._hold_capacity()

    def _hold_capacity(self) -> int:
        dropped = max(0, len(self._waiting) - self._capacity)
        self.take(dropped)
        return dropped
