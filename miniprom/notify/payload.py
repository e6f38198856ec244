"""Alerts as Alertmanager's API v2 takes them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from miniprom.rules import Alert


def alertmanager_payload(alerts: Sequence[Alert]) -> list[dict[str, Any]]:
    """The body of POST /api/v2/alerts. Source: Alertmanager's openapi.yaml, postableAlerts."""
    return [
        {
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": rfc3339(alert.starts_at_ms),
            "endsAt": rfc3339(alert.ends_at_ms),
            "generatorURL": alert.generator_url,
        }
        for alert in alerts
    ]


def rfc3339(time_ms: int) -> str:
    """`2015-07-01T20:10:51.781Z`"""
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"
