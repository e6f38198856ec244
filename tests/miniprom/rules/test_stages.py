"""Which rules share a snapshot."""

import pytest

from miniprom.rules.files import parse_rule_file
from miniprom.rules.stages import stages_of


def stages(*rules: str) -> list[list[int]]:
    text = "groups: [{name: g, rules: [" + ", ".join(f"{{{rule}}}" for rule in rules) + "]}]"
    return [list(stage) for stage in stages_of(parse_rule_file(text, "r.yml")[0].rules)]


def test_independent_rules_are_one_stage() -> None:
    assert stages("record: a, expr: x", "record: b, expr: x", "alert: C, expr: y > 1") == [[0, 1, 2]]


def test_rule_that_reads_an_earlier_one_comes_a_stage_later() -> None:
    assert stages("record: a, expr: x", "record: b, expr: a", "record: c, expr: x") == [[0, 2], [1]]


def test_chain_of_rules_is_a_chain_of_stages() -> None:
    assert stages("record: a, expr: x", "record: b, expr: a", "record: c, expr: b") == [[0], [1], [2]]


def test_rule_that_reads_a_later_one_comes_no_later() -> None:
    assert stages("record: a, expr: b", "record: b, expr: x") == [[0, 1]]
    assert stages("record: z, expr: x", "record: a, expr: z + b", "record: b, expr: x") == [[0], [1, 2]]
    assert stages("record: z, expr: x", "record: a, expr: 'z + {j=`1`}'", "record: b, expr: x") == [
        [0],
        [1, 2],
    ]


def test_alerts_of_one_name_keep_their_order_and_others_need_none() -> None:
    alerts = "alert: A, expr: a", "alert: A, expr: x", "alert: B, expr: x"
    assert stages("record: a, expr: x", *alerts) == [[0, 3], [1, 2]]


def test_rules_that_write_one_metric_keep_their_order() -> None:
    assert stages("record: a, expr: x", "record: b, expr: a", "record: b, expr: x") == [[0], [1, 2]]


def test_rule_that_reads_its_own_series_needs_no_stage() -> None:
    assert stages("record: a, expr: a + 1", "record: b, expr: x") == [[0, 1]]


@pytest.mark.parametrize(
    "reader",
    [
        "record: b, expr: 'rate(a[5m])'",
        "record: b, expr: 'x + on() a'",
        "record: b, expr: '{__name__=~\"a|z\"}'",
        "record: b, expr: '{job=\"x\"}'",
        "record: b, expr: 'max_over_time(a[5m:1m])'",
    ],
)
def test_every_way_to_read_counts(reader: str) -> None:
    assert stages("record: a, expr: x", reader) == [[0], [1]]


def test_alerts_are_read_through_their_series() -> None:
    assert stages("alert: A, expr: x > 1", "record: b, expr: ALERTS") == [[0], [1]]
    assert stages("alert: A, expr: x > 1", "record: b, expr: ALERTS_FOR_STATE") == [[0], [1]]


def test_template_that_queries_may_read_anything() -> None:
    asks = "alert: A, expr: x > 1, annotations: {b: '{{ query `a` }}'}"
    assert stages("record: z, expr: x", asks) == [[0], [1]]
    assert stages("record: z, expr: x", "alert: A, expr: x > 1, annotations: {b: a query}") == [[0, 1]]
