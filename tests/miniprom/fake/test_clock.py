from itertools import pairwise

from tests.miniprom.fake.serving import START, Fake

RULES = """
groups:
- name: g
  interval: 30s
  rules:
  - record: doubled
    expr: x * 2
  - alert: High
    expr: x > 5
    for: 1m
"""


def states(fake: Fake) -> list[str]:
    alerts = fake.ask("GET", "/api/v1/alerts").json["data"]["alerts"]
    return [alert["state"] for alert in alerts]


def test_clock_stands_still(fake: Fake) -> None:
    assert fake.control("GET", "clock") == {"now": START}
    assert fake.query("time()").json["data"]["result"] == [START, str(START)]
    fake.advance("90s")
    assert fake.control("GET", "clock") == {"now": START + 90}
    assert fake.query("time()").json["data"]["result"][0] == START + 90


def test_clock_is_set_to_a_later_time(fake: Fake) -> None:
    assert fake.control("POST", "clock", {"set": "2030-01-01T00:00:00Z"}) == {"now": 1_893_456_000}


def test_clock_is_set_back_only_without_samples_or_by_force(fake: Fake) -> None:
    assert fake.control("POST", "clock", {"set": "-1h"}) == {"now": START - 3600}
    fake.load({"x": "1"})
    assert "while there are samples" in fake.refused("clock", {"set": "-1h"})
    assert fake.control("POST", "clock", {"set": "-1h", "force": True}) == {"now": START - 7200}
    fake.advance("1h")
    assert fake.values("x") == {"": "1"}


def test_clock_wants_one_of_set_and_advance(fake: Fake) -> None:
    assert "expected one of" in fake.refused("clock", {})
    assert "expected one of" in fake.refused("clock", {"set": "now", "advance": "1m"})


def test_sample_is_seen_for_just_less_than_the_lookback(fake: Fake) -> None:
    fake.load({"x": "1"})
    fake.advance("299s")
    assert fake.values("x") == {"": "1"}
    fake.advance("1s")
    assert fake.values("x") == {}


def test_rules_are_evaluated_at_each_interval_that_passes(fake: Fake) -> None:
    fake.load({"x": "1x600"}, start="now", interval="1s")
    fake.control("POST", "config", {"rules": {"r.yml": RULES}})
    fake.advance("10m")
    times = [time for time, _ in fake.points("doubled[10m]")]
    assert len(times) == 20
    assert {late - early for early, late in pairwise(times)} == {30}


def test_alert_is_pending_for_as_long_as_it_says(fake: Fake) -> None:
    fake.load({"x": "0x60 9x60"}, start="now", interval="10s")
    fake.control("POST", "config", {"rules": {"r.yml": RULES}})
    fake.advance("10m")
    assert states(fake) == []
    fake.advance("40s")
    assert states(fake) == ["pending"]
    fake.advance("30s")
    assert states(fake) == ["pending"]
    fake.advance("30s")
    assert states(fake) == ["firing"]


def test_retention_of_the_configuration_holds_to_the_millisecond(fake: Fake) -> None:
    fake.control("POST", "config", {"config": "storage: {tsdb: {retention: {time: 1h}}}"})
    fake.load({"x": "1"})
    fake.advance("1h")
    assert fake.points("x[2h]") == [[0, "1"]]
    fake.advance("1ms")
    assert fake.query("x[2h]").json["data"]["result"] == []


def test_without_a_retention_samples_stay_for_years(fake: Fake) -> None:
    fake.load({"x": "1"}, end="2001-01-01T00:00:00Z")
    fake.control("POST", "clock", {"set": "2060-01-01T00:00:00Z"})
    assert fake.values("x @ 978307200") == {"": "1"}


def test_rules_come_with_the_request_and_must_be_there(fake: Fake) -> None:
    config = "rule_files: [rules/*.yml]"
    assert "nothing in rules is named *.yml; given are none" in fake.refused("config", {"config": config})
    fake.control("POST", "config", {"config": config, "rules": {"r.yml": RULES}})
    groups = fake.ask("GET", "/api/v1/rules").json["data"]["groups"]
    assert [group["name"] for group in groups] == ["g"]


def test_faulty_configuration_is_refused_and_the_old_one_stays(fake: Fake) -> None:
    fake.control("POST", "config", {"rules": {"r.yml": RULES}})
    assert fake.refused("config", {"config": "globl: {}"}).startswith("prometheus.yml:1: ")
    assert "r.yml:" in fake.refused("config", {"rules": {"r.yml": "groups: [{name: a, rules: [{expr: x}]}]"}})
    assert len(fake.ask("GET", "/api/v1/rules").json["data"]["groups"]) == 1
