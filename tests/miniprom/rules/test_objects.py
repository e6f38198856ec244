"""PrometheusRule objects as rule groups; the specs are those that the Prometheus Operator accepts."""

import logging
from typing import Any

import pytest

from miniprom.rules.files import RuleFileOptions
from miniprom.rules.model import AlertingRule, RecordingRule, RuleGroup
from miniprom.rules.objects import RuleObjects
from miniprom.rules.states import Timing
from query import parse

OPTIONS = RuleFileOptions(interval_ms=15_000)
GOOD: dict[str, Any] = {"groups": [{"name": "g", "rules": [{"record": "r", "expr": "vector(1)"}]}]}
BAD: dict[str, Any] = {"groups": [{"name": "g", "rules": [{"record": "r", "expr": "sum("}]}]}


def test_object_gives_the_groups_that_a_file_would() -> None:
    spec = {
        "groups": [
            {
                "name": "g",
                "interval": "1m",
                "query_offset": "5s",
                "limit": 3,
                "labels": {"team": "a"},
                "partial_response_strategy": "abort",
                "rules": [
                    {
                        "alert": "A",
                        "expr": "up == 0\n  or absent(up)",
                        "for": "10m",
                        "keep_firing_for": "5m",
                        "labels": {"severity": "page"},
                        "annotations": {"summary": "„{{ $labels.job }}“ is down\n"},
                    },
                    {"record": "one", "expr": 1},
                ],
            }
        ]
    }
    alert = AlertingRule(
        "A",
        parse("up == 0 or absent(up)"),
        (("severity", "page"), ("team", "a")),
        (("summary", "„{{ $labels.job }}“ is down\n"),),
        Timing(600_000, 300_000),
    )
    record = RecordingRule("one", parse("1"), (("team", "a"),))
    expected = RuleGroup("shop/flux", "g", 60_000, (alert, record), 3, 5000)
    assert RuleObjects().groups({"shop/flux": spec}, OPTIONS) == [expected]


def test_group_without_an_interval_has_that_of_the_configuration() -> None:
    objects = RuleObjects()
    for interval_ms in (15_000, 30_000):
        [group] = objects.groups({"shop/a": GOOD}, RuleFileOptions(interval_ms=interval_ms))
        assert group.interval_ms == interval_ms


def test_object_with_a_fault_is_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    objects = RuleObjects()
    with caplog.at_level(logging.WARNING):
        groups = objects.groups({"shop/bad": BAD, "shop/good": GOOD}, OPTIONS)
    assert [group.file for group in groups] == ["shop/good"]
    [record] = caplog.records
    said = vars(record)
    assert said["object"] == "shop/bad"
    assert said["err"].startswith('group "g", rule 1, "r": could not parse expression: ')
    assert (objects.count(is_rejected=False), objects.count(is_rejected=True)) == (1, 1)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"groups": [{"name": "g", "interval": "soon"}]}, "groups[0].interval: "),
        ({"groups": "none"}, "groups: expected a list"),
        ({"groups": [{"name": "g"}, {"name": "g"}]}, 'group "g" is already defined'),
    ],
)
def test_fault_is_told_without_a_line(
    spec: dict[str, Any], problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert RuleObjects().groups({"shop/bad": spec}, OPTIONS) == []
    assert vars(caplog.records[0])["err"].startswith(problem)


def test_object_is_read_and_complained_about_again_only_when_it_changed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    objects = RuleObjects()
    before = objects.groups({"shop/bad": BAD, "shop/good": GOOD}, OPTIONS)
    after = objects.groups({"shop/bad": dict(BAD), "shop/good": dict(GOOD)}, OPTIONS)
    assert after[0] is before[0]
    assert len(caplog.records) == 1
    assert objects.groups({"shop/bad": GOOD}, OPTIONS)[0].file == "shop/bad"
    assert objects.count(is_rejected=True) == 0


@pytest.mark.parametrize("spec", [{}, {"groups": None}, {"groups": []}])
def test_object_may_be_empty(spec: dict[str, Any]) -> None:
    assert RuleObjects().groups({"shop/empty": spec}, OPTIONS) == []
