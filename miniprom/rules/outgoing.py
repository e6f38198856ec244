"""From a rule's alerts to what the notifier is handed: external labels, relabelling, links."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote_plus

from collector.relabel import Rule, relabel
from miniprom.rules.notifier import Alert
from miniprom.rules.states import AlertInstance
from tsdb import labels_from


def outgoing(
    alerts: Sequence[AlertInstance],
    query: str,
    *,
    valid_until_ms: int,
    external_labels: Mapping[str, str],
    external_url: str,
    relabel_rules: Sequence[Rule] = (),
) -> list[Alert]:
    """The alerts of one rule, without those that relabelling drops.

    A firing alert ends at `valid_until_ms`, unless it is told of again before. External labels give way to
    an alert's own. Source: upstream's rules.SendAlerts and notifier.Manager.Send.
    """
    found = []
    for alert in alerts:
        labels = relabel({**external_labels, **dict(alert.labels)}, relabel_rules)
        if labels is None:
            continue
        assert alert.fired_at_ms is not None
        ends_at_ms = valid_until_ms if alert.resolved_at_ms is None else alert.resolved_at_ms
        url = external_url.rstrip("/") + graph_path(query)
        found.append(Alert(labels_from(labels), alert.annotations, alert.fired_at_ms, ends_at_ms, url))
    return found


def graph_path(query: str) -> str:
    """Where Prometheus's pages show a query as a table."""
    return f"/graph?g0.expr={quote_plus(query)}&g0.tab=1"
