"""What the notifier is handed."""

from collections.abc import Mapping
from dataclasses import replace

from collector.relabel import RelabelConfig, Rule, compile_rules
from miniprom.rules.notifier import Alert
from miniprom.rules.outgoing import graph_path, outgoing
from miniprom.rules.states import AlertInstance, State

LABELS = (("alertname", "Down"), ("job", "a"))
FIRING = AlertInstance(LABELS, State.FIRING, 5, 0.0, {"x": "y"}, fired_at_ms=10)


def sent(
    alert: AlertInstance, external: Mapping[str, str] | None = None, rules: tuple[Rule, ...] = ()
) -> list[Alert]:
    return outgoing(
        [alert],
        "up == 0",
        valid_until_ms=99,
        external_labels=external or {},
        external_url="http://prom:9090/",
        relabel_rules=rules,
    )


def test_firing_alert_starts_when_it_fired_and_ends_when_nobody_speaks_of_it_any_more() -> None:
    assert sent(FIRING) == [
        Alert(FIRING.labels, {"x": "y"}, 10, 99, "http://prom:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1")
    ]


def test_resolved_alert_ends_when_it_was_resolved() -> None:
    (alert,) = sent(replace(FIRING, state=State.RESOLVED, resolved_at_ms=20))
    assert (alert.ends_at_ms, alert.is_resolved_at(20), alert.is_resolved_at(19)) == (20, True, False)


def test_external_labels_give_way_to_those_of_the_alert() -> None:
    (alert,) = sent(FIRING, {"cluster": "c", "job": "external"})
    assert alert.labels == (("alertname", "Down"), ("cluster", "c"), ("job", "a"))


def test_alerts_are_relabelled_and_may_be_dropped() -> None:
    rename = RelabelConfig(source_labels=("cluster",), target_label="site")
    drop = RelabelConfig(source_labels=("site",), regex="away", action="drop")
    rules = compile_rules([rename, drop])
    assert sent(FIRING, {"cluster": "away"}, rules) == []
    assert ("site", "here") in sent(FIRING, {"cluster": "here"}, rules)[0].labels


def test_query_is_escaped_as_go_escapes_it() -> None:
    assert graph_path('a{b="c d"} > 1') == "/graph?g0.expr=a%7Bb%3D%22c+d%22%7D+%3E+1&g0.tab=1"
