"""The rules that are measured are rules."""

import pytest

from benchmarks.rules import WORKLOADS, rule_file
from miniprom.rules.files import parse_rule_file
from miniprom.rules.group_state import GroupState
from tsdb import Store


@pytest.mark.parametrize("name", WORKLOADS)
def test_workload_has_the_rules_that_its_name_says(name: str) -> None:
    groups = parse_rule_file(rule_file(WORKLOADS[name]()), "rules.yml")
    assert sum(len(group.rules) for group in groups) == int(name.partition(" ")[0])


def test_rules_of_a_service_take_two_stages() -> None:
    (group, *_) = parse_rule_file(rule_file(WORKLOADS["1000 rules, each of 100 series"]()), "rules.yml")
    assert len(GroupState(group, Store(retention_ms=None)).stages) == 2
