"""One group: what its rules write, and what is remembered of them. Source: upstream's group.go."""

import pytest

from miniprom.rules.evaluation import Environment
from miniprom.rules.group_state import GroupState
from miniprom.rules.rule_state import Health
from query import Engine
from tests.miniprom.rules.evaluating import Rules, group_of
from tsdb.histogram import FloatHistogram

UP_A, UP_B = {"__name__": "up", "job": "a"}, {"__name__": "up", "job": "b"}


def test_recording_rule_writes_its_result_under_its_name_and_labels() -> None:
    rules = Rules("record: job:up, expr: up * 2, labels: {team: infra, instance: ''}")
    rules.add({**UP_A, "instance": "h"}, 0, 1.0)
    rules.evaluate(0)
    assert rules.query("job:up", 0) == {'job:up{job="a", team="infra"}': 2.0}
    assert rules.group.rules[0].health is Health.GOOD


def test_scalar_is_recorded_as_a_series_without_labels() -> None:
    rules = Rules("record: one, expr: 1")
    rules.evaluate(0)
    assert rules.query("one", 0) == {"one{}": 1.0}


def test_native_histogram_is_recorded() -> None:
    rules = Rules("record: copy, expr: h")
    (series_id,) = rules.store.series_ids([(("__name__", "h"),)]).tolist()
    rules.store.append_histograms(series_id, [0], [FloatHistogram(count=3.0, sum=6.0)])
    rules.add({"__name__": "h", "kind": "float"}, 0, 5.0)
    rules.evaluate(0)
    assert rules.query("histogram_count(copy)", 0) == {"{}": 3.0}
    assert rules.query('copy{kind="float"}', 0) == {'copy{kind="float"}': 5.0}


def test_later_rule_sees_what_an_earlier_one_wrote_at_the_same_time() -> None:
    rules = Rules("record: a, expr: vector(1)", "record: b, expr: a + 1", "record: c, expr: a + b")
    rules.evaluate(0)
    assert rules.query("c", 0) == {"c{}": 3.0}


def test_earlier_rule_sees_what_a_later_one_wrote_the_time_before() -> None:
    rules = Rules("record: a, expr: b + 1", "record: b, expr: vector(1)")
    rules.evaluate(0)
    assert rules.query("a", 0) == {}
    rules.evaluate(60_000)
    assert rules.query("a", 60_000) == {"a{}": 2.0}


def test_series_that_vanishes_is_marked_stale() -> None:
    rules = Rules("record: down, expr: up == 0")
    rules.add(UP_A, 0, 0.0)
    rules.add(UP_B, 0, 0.0)
    rules.evaluate(0)
    rules.add(UP_A, 60_000, 1.0)
    rules.evaluate(60_000)
    assert rules.query("down", 60_000) == {'down{job="b"}': 0.0}


def test_series_of_a_failing_rule_are_not_marked_stale() -> None:
    rules = Rules("record: r, expr: up + on() group_left max by (job) (up)")
    rules.add(UP_A, 0, 1.0)
    rules.evaluate(0)
    rules.add(UP_B, 60_000, 1.0)
    rules.evaluate(60_000)
    assert "many-to-many matching not allowed" in rules.errors()[0]
    assert rules.group.rules[0].health is Health.BAD
    assert rules.query("r", 60_000) == {'r{job="a"}': 2.0}


def test_failing_rule_fails_alone() -> None:
    rules = Rules("record: a, expr: 'label_replace(up, `x`, `$1`, `job`, `(`)'", "record: b, expr: up")
    rules.add(UP_A, 0, 1.0)
    rules.evaluate(0)
    assert rules.query("b", 0) == {'b{job="a"}': 1.0}
    assert [bool(error) for error in rules.errors()] == [True, False]


def test_rule_that_recovers_is_healthy_again() -> None:
    rules = Rules("record: r, expr: up + on() up")
    for job in (UP_A, UP_B):
        rules.add(job, 0, 1.0)
    rules.evaluate(0)
    assert rules.errors()[0]
    rules.evaluate(600_000)
    assert rules.errors() == [""]
    assert rules.group.rules[0].health is Health.GOOD


@pytest.mark.parametrize("expr", ["up[5m]", "'text'"])
def test_expression_must_give_a_vector_or_a_scalar(expr: str) -> None:
    rules = Rules(f'record: r, expr: "{expr}"')
    rules.evaluate(0)
    assert rules.errors() == ["rule result is not a vector or scalar"]


def test_two_series_of_one_rule_must_not_become_one() -> None:
    rules = Rules("record: r, expr: up, labels: {job: same}", "alert: A, expr: up, labels: {job: same}")
    for job in (UP_A, UP_B):
        rules.add(job, 0, 1.0)
    rules.evaluate(0)
    assert rules.errors() == [
        "vector contains metrics with the same labelset after applying rule labels",
        "vector contains metrics with the same labelset after applying alert labels",
    ]


def test_second_rule_that_writes_another_value_to_a_series_is_told_so() -> None:
    rules = Rules("record: r, expr: vector(1)", "record: r, expr: vector(2)", "record: r, expr: vector(1)")
    rules.evaluate(0)
    assert rules.query("r", 0) == {"r{}": 1.0}
    assert rules.errors() == ["", "duplicate sample for timestamp", ""]


def test_limit_is_the_most_that_a_rule_may_give() -> None:
    rules = Rules("record: r, expr: up", "alert: A, expr: up", options="limit: 1,")
    rules.add(UP_A, 0, 1.0)
    rules.evaluate(0)
    assert rules.errors() == ["", ""]
    rules.add(UP_B, 60_000, 1.0)
    assert rules.evaluate(60_000) == []
    assert rules.errors() == ["exceeded limit of 1 with 2 series", "exceeded limit of 1 with 2 alerts"]
    assert rules.alerting(1).alerts == {}


def test_query_offset_moves_the_query_and_the_samples() -> None:
    rules = Rules("record: r, expr: up", "alert: A, expr: up", options="query_offset: 1m,")
    rules.add(UP_A, 0, 1.0)
    rules.evaluate(60_000)
    assert rules.samples('r{job="a"}') == {'r{job="a"}': {0: 1.0}}
    assert rules.samples("ALERTS_FOR_STATE") == {'ALERTS_FOR_STATE{alertname="A", job="a"}': {0: 60.0}}


def test_query_offset_of_the_configuration_is_for_groups_without_one() -> None:
    rules = Rules("record: r, expr: up", environment=Environment(Engine(), query_offset_ms=60_000))
    rules.add(UP_A, 0, 1.0)
    rules.evaluate(60_000)
    assert rules.samples("r") == {'r{job="a"}': {0: 1.0}}


def test_alerts_series_follow_the_state() -> None:
    rules = Rules("alert: Down, expr: up == 0, for: 1m, labels: {severity: page}")
    for minute, value in enumerate((0, 0, 1)):
        rules.add(UP_A, minute * 60_000, value)
        rules.evaluate(minute * 60_000)
    labels = 'job="a", severity="page"'
    firing = f'ALERTS{{alertname="Down", alertstate="firing", {labels}}}'
    pending = f'ALERTS{{alertname="Down", alertstate="pending", {labels}}}'
    since = f'ALERTS_FOR_STATE{{alertname="Down", {labels}}}'
    assert rules.samples("ALERTS") == {pending: {0: 1.0}, firing: {60_000: 1.0}}
    assert rules.samples("ALERTS_FOR_STATE") == {since: {0: 0.0, 60_000: 0.0}}
    assert rules.query("ALERTS", 60_000) == {firing: 1.0}
    assert rules.query('{__name__=~"ALERTS.*"}', 120_000) == {}


def test_alert_that_keeps_firing_is_firing_in_its_series() -> None:
    rules = Rules("alert: Down, expr: up == 0, keep_firing_for: 5m")
    rules.add(UP_A, 0, 0.0)
    rules.evaluate(0)
    rules.add(UP_A, 60_000, 1.0)
    rules.evaluate(60_000)
    assert rules.query("ALERTS", 60_000) == {'ALERTS{alertname="Down", alertstate="firing", job="a"}': 1.0}


def test_series_of_an_alert_are_not_written_before_its_state_is_restored() -> None:
    rules = Rules("alert: A, expr: vector(1)")
    rules.alerting().is_restored = False
    rules.evaluate(0)
    assert rules.query("ALERTS", 0) == {}
    assert len(rules.alerting().active) == 1


def test_notifier_is_told_of_firing_and_of_resolved_alerts_and_of_no_others() -> None:
    rules = Rules("alert: Down, expr: up == 0, for: 1m")
    told = []
    for minute, value in enumerate((0, 0, 0, 1)):
        rules.add(UP_A, minute * 60_000, value)
        due = rules.evaluate(minute * 60_000, resend_delay_ms=600_000)
        told.append([alert.state.value for each in due for alert in each.alerts])
    assert told == [[], ["firing"], [], ["resolved"]]


def test_unchanged_result_keeps_its_series_ids() -> None:
    rules = Rules("record: r, expr: up")
    for minute in range(3):
        rules.add(UP_A, minute * 60_000, 1.0)
        rules.evaluate(minute * 60_000)
        before = rules.group.rules[0].series_ids
    rules.add(UP_A, 180_000, 1.0)
    rules.evaluate(180_000)
    assert rules.group.rules[0].series_ids is before


def test_series_that_took_over_ids_of_a_rule_that_paused_longer_than_the_retention_are_left_alone() -> None:
    rules = Rules("record: r, expr: up")
    rules.store.retention_ms = 200_000
    rules.add(UP_A, 0, 1.0)
    rules.evaluate(0)
    rules.store.expire(300_000)
    for number in range(5):
        rules.add({"__name__": "other", "i": str(number)}, 300_000, 1.0)
    rules.evaluate(360_000)
    assert len(rules.query("other", 360_000)) == 5


def test_result_that_looks_the_same_in_reused_label_codes_is_resolved_anew() -> None:
    rules = Rules("record: r, expr: up")
    rules.store.retention_ms = 400_000
    for generation in range(5):
        start_ms = 300_000 * generation
        rules.store.expire(start_ms)
        rules.add({"__name__": "r", "kind": "lasting"}, start_ms, 1.0)
        if generation % 2:
            continue
        for number in range(200):
            rules.add({"__name__": "up", "job": f"{generation}-{number}"}, start_ms, 1.0)
        rules.evaluate(start_ms)
        expected = {f'r{{job="{generation}-{number}"}}' for number in range(200)}
        assert set(rules.query('r{kind=""}', start_ms)) == expected


def test_changed_group_goes_on_with_the_alerts_of_rules_it_shares_with_the_old() -> None:
    rules = Rules("alert: A, expr: up, for: 5m", "record: gone, expr: up")
    rules.add(UP_A, 0, 1.0)
    rules.evaluate(0)
    new = GroupState(group_of("record: new, expr: up", "alert: A, expr: up > 0, for: 1m"), rules.store)
    new.adopt(rules.group)
    rules.group = new
    rules.evaluate(60_000)
    assert [alert.state.value for alert in rules.alerting(1).alerts.values()] == ["firing"]
    new.mark_stale(60_000)
    assert rules.query("gone", 60_000) == {}
    assert rules.query("new", 60_000) == {'new{job="a"}': 1.0}


def test_rules_that_look_alike_are_matched_in_order() -> None:
    rules = Rules("alert: A, expr: up == 1", "alert: A, expr: up == 0")
    rules.add(UP_A, 0, 0.0)
    rules.evaluate(0)
    new = GroupState(group_of("alert: A, expr: up == 1", "alert: A, expr: up < 1"), rules.store)
    new.adopt(rules.group)
    rules.group = new
    assert [len(rules.alerting(position).alerts) for position in (0, 1)] == [0, 1]
