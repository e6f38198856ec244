"""Which alerts are told together, and when. Source: Alertmanager's dispatch and notify packages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from miniprom.notify.sink.config import SilenceConfig, SinkConfig
from miniprom.rules import Alert
from tsdb import Labels, Matcher

_RETRY_MS: Final = 10_000


@dataclass(frozen=True)
class Notification:
    """One message about a group. `news` are the labels of alerts that were not told of as firing before."""

    group: Labels
    firing: tuple[Alert, ...]
    resolved: tuple[Alert, ...]
    news: frozenset[Labels]

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return (*self.firing, *self.resolved)


@dataclass
class _Group:
    due_ms: int
    alerts: dict[Labels, Alert] = field(default_factory=dict)
    told: frozenset[Labels] = frozenset()
    """The alerts that the last message called firing."""
    told_ms: int | None = None


class Silences:
    """Alerts that nobody is told of, for a time or for good."""

    def __init__(self, configs: Sequence[SilenceConfig]) -> None:
        self._silences: list[tuple[tuple[Matcher, ...], int | None]] = [
            (config.parsed(), config.until_ms()) for config in configs
        ]

    def hold(self, alert: Alert, now_ms: int) -> bool:
        """Whether one of them is about the alert now."""
        labels = dict(alert.labels)
        return any(
            (until_ms is None or now_ms < until_ms)
            and all(matcher.matches(labels.get(matcher.name, "")) for matcher in matchers)
            for matchers, until_ms in self._silences
        )


class Grouping:
    """What one receiver is still to be told. Reads no clock."""

    def __init__(self, config: SinkConfig, *, send_resolved: bool = True) -> None:
        self._config = config
        self._send_resolved = send_resolved
        self._silences = Silences(config.silences)
        self._groups: dict[Labels, _Group] = {}

    def take(self, alerts: Iterable[Alert], now_ms: int) -> None:
        """Hear of alerts; a group begins with the first that fires, and waits for more to come."""
        for alert in alerts:
            key = tuple(pair for pair in alert.labels if pair[0] in self._config.group_by)
            group = self._groups.get(key)
            if group is None:
                if alert.is_resolved_at(now_ms):
                    continue
                group = self._groups[key] = _Group(now_ms + self._config.group_wait_ms)
            if alert.labels in group.alerts or not alert.is_resolved_at(now_ms):
                group.alerts[alert.labels] = alert

    def due(self, now_ms: int) -> list[Notification]:
        """The messages to send now; `told` or `failed` follows for each."""
        found = []
        for key, group in list(self._groups.items()):
            if group.due_ms > now_ms:
                continue
            group.due_ms = now_ms + self._config.group_interval_ms
            notification = self._notification(key, group, now_ms)
            if self._is_needed(notification, group, now_ms):
                found.append(notification)
            else:
                self._forget(key, group, now_ms)
        return found

    def told(self, notification: Notification, now_ms: int) -> None:
        """The message has arrived."""
        group = self._groups[notification.group]
        group.told = frozenset(alert.labels for alert in notification.firing)
        group.told_ms = now_ms
        self._forget(notification.group, group, now_ms)

    def failed(self, notification: Notification, now_ms: int) -> None:
        """The message has not arrived: try again soon."""
        self._groups[notification.group].due_ms = now_ms + _RETRY_MS

    def _notification(self, key: Labels, group: _Group, now_ms: int) -> Notification:
        heard = [alert for alert in group.alerts.values() if not self._silences.hold(alert, now_ms)]
        firing = tuple(alert for alert in heard if not alert.is_resolved_at(now_ms))
        resolved = tuple(
            alert for alert in heard if alert.is_resolved_at(now_ms) and alert.labels in group.told
        )
        news = frozenset(alert.labels for alert in firing) - group.told
        return Notification(key, firing, resolved if self._send_resolved else (), news)

    def _is_needed(self, notification: Notification, group: _Group, now_ms: int) -> bool:
        if notification.news or notification.resolved:
            return True
        is_repeated = group.told_ms is not None and now_ms - group.told_ms >= self._config.repeat_interval_ms
        return bool(notification.firing) and is_repeated

    def _forget(self, key: Labels, group: _Group, now_ms: int) -> None:
        """Forget what is over and needs not be told; a group ends with its last alert."""
        kept = {labels for labels, alert in group.alerts.items() if not alert.is_resolved_at(now_ms)}
        if self._send_resolved:
            kept |= group.told
        group.alerts = {labels: alert for labels, alert in group.alerts.items() if labels in kept}
        group.told &= group.alerts.keys()
        if not group.alerts:
            del self._groups[key]
