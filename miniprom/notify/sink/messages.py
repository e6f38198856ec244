"""A notification as each kind of receiver takes it: one function a kind, and a table of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from miniprom.notify.payload import rfc3339
from miniprom.notify.sink.config import ReceiverConfig
from miniprom.notify.sink.grouping import Notification
from miniprom.rules import Alert
from query.language.literals import quote
from tsdb import Labels

_NO_END: Final = "0001-01-01T00:00:00Z"
_FNV_OFFSET: Final = 14695981039346656037
_FNV_PRIME: Final = 1099511628211
_SUMMARIES: Final = ("summary", "title", "message", "description")


@dataclass(frozen=True)
class Message:
    """What to post where."""

    url: str
    body: Mapping[str, Any]


def webhook(receiver: ReceiverConfig, notification: Notification, external_url: str) -> list[Message]:
    """Alertmanager's webhook payload, version 4."""
    alerts = notification.alerts
    firing = len(notification.firing)
    body = {
        "version": "4",
        "groupKey": "{}:{" + ", ".join(f"{name}={quote(value)}" for name, value in notification.group) + "}",
        "truncatedAlerts": 0,
        "status": _status(notification),
        "receiver": receiver.name or receiver.kind,
        "groupLabels": dict(notification.group),
        "commonLabels": _common([dict(alert.labels) for alert in alerts]),
        "commonAnnotations": _common([alert.annotations for alert in alerts]),
        "externalURL": external_url,
        "alerts": [_webhook_alert(alert, is_firing=at < firing) for at, alert in enumerate(alerts)],
    }
    return [Message(receiver.url, body)]


def slack(receiver: ReceiverConfig, notification: Notification, external_url: str) -> list[Message]:  # noqa: ARG001  a kind's signature
    """One message with an attachment for each of the two states."""
    parts = (("FIRING", "danger", notification.firing), ("RESOLVED", "good", notification.resolved))
    attachments = [
        {
            "color": color,
            "title": f"[{state}:{len(alerts)}] {_title(notification.group)}",
            "text": "\n".join(f"• {_line(alert)}" for alert in alerts),
            "fallback": f"[{state}:{len(alerts)}] {_title(notification.group)}",
        }
        for state, color, alerts in parts
        if alerts
    ]
    return [Message(receiver.url, {"attachments": attachments})]


def grafana(receiver: ReceiverConfig, notification: Notification, external_url: str) -> list[Message]:  # noqa: ARG001  a kind's signature
    """An annotation where an alert begins, and a region once it is over; repetitions add none."""
    url = receiver.url.rstrip("/") + "/api/annotations"
    begun = [alert for alert in notification.firing if alert.labels in notification.news]
    return [
        *(Message(url, _annotation(alert, "firing")) for alert in begun),
        *(
            Message(url, _annotation(alert, "resolved") | {"timeEnd": alert.ends_at_ms})
            for alert in notification.resolved
        ),
    ]


MESSAGES: Final[Mapping[str, Callable[[ReceiverConfig, Notification, str], list[Message]]]] = {
    "webhook": webhook,
    "slack": slack,
    "grafana": grafana,
}


def log_lines(notification: Notification) -> list[tuple[str, dict[str, str]]]:
    """For `kind: log`: the message and its fields, a line an alert."""
    firing = (("Alert firing", alert) for alert in notification.firing)
    resolved = (("Alert resolved", alert) for alert in notification.resolved)
    return [
        (what, {"labels": _selector(alert.labels), "summary": _summary(alert)})
        for what, alert in (*firing, *resolved)
    ]


def fingerprint(labels: Labels) -> str:
    """FNV-1a of the labels. Source: prometheus/common's model.LabelSet.Fingerprint."""
    number = _FNV_OFFSET
    for byte in b"".join(text.encode() + b"\xff" for pair in labels for text in pair):
        number = (number ^ byte) * _FNV_PRIME % 2**64
    return f"{number:016x}"


def _webhook_alert(alert: Alert, *, is_firing: bool) -> dict[str, Any]:
    return {
        "status": "firing" if is_firing else "resolved",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.starts_at_ms),
        "endsAt": _NO_END if is_firing else rfc3339(alert.ends_at_ms),
        "generatorURL": alert.generator_url,
        "fingerprint": fingerprint(alert.labels),
    }


def _status(notification: Notification) -> str:
    return "firing" if notification.firing else "resolved"


def _common(mappings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *rest = mappings
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in rest)}


def _annotation(alert: Alert, state: str) -> dict[str, Any]:
    tags = ["alert", state, *(f"{name}:{value}" for name, value in alert.labels)]
    return {"time": alert.starts_at_ms, "tags": tags, "text": _line(alert)}


def _title(group: Labels) -> str:
    return " ".join(value for _, value in group) or "alerts"


def _line(alert: Alert) -> str:
    return _summary(alert) or _selector(alert.labels)


def _summary(alert: Alert) -> str:
    return next((alert.annotations[name] for name in _SUMMARIES if alert.annotations.get(name)), "")


def _selector(labels: Labels) -> str:
    return "{" + ", ".join(f"{name}={quote(value)}" for name, value in labels) + "}"
