import itertools

import pytest

from collector.clock import VirtualClock
from miniprom.config import Config
from miniprom.server import Server
from miniprom.settings import settings_of
from tests.miniprom.fake.serving import START, Fake

RULES = "groups: [{name: g, rules: [{record: r, expr: '1'}]}]"


def test_reset_leaves_nothing_behind(fake: Fake) -> None:
    fake.load({"x": "1"})
    fake.control("POST", "config", {"rules": {"r.yml": RULES}})
    fake.control("POST", "faults", {"kind": "nan"})
    fake.advance("1h")
    fake.query("x")
    answer = fake.control("POST", "reset", {})
    assert answer == {"now": START, "series": 0, "samples": 0, "faults": 0, "requests": 0}
    assert fake.ask("GET", "/api/v1/rules").json["data"]["groups"] == []
    assert fake.ask("GET", "/api/v1/labels").json["data"] == []


def test_reset_may_put_the_clock_elsewhere(fake: Fake) -> None:
    assert fake.control("POST", "reset", {"now": "2024-01-01T00:00:00Z"})["now"] == 1_704_067_200
    assert fake.control("POST", "reset", {})["now"] == START


def test_loops_of_before_a_reset_run_no_more(fake: Fake) -> None:
    fake.control("POST", "config", {"rules": {"r.yml": RULES}})
    fake.control("POST", "reset", {})
    fake.advance("10m")
    assert fake.values("r") == {}


def test_restored_world_has_the_samples_clock_rules_and_faults_of_the_snapshot(fake: Fake) -> None:
    fake.load({"x": "1 2", "h": "{{count:1 sum:1 buckets:[1]}}"})
    fake.control("POST", "config", {"rules": {"r.yml": RULES}})
    fake.control("POST", "faults", {"kind": "warnings", "warnings": ["careful"], "query_matches": "x"})
    snapshot = fake.control("POST", "snapshot")["id"]
    fake.load({"x": "7", "y": "1"}, end="+1m")
    fake.control("DELETE", "faults")
    fake.control("POST", "config", {})
    fake.advance("10m")
    for _ in range(2):
        fake.control("POST", "restore", {"id": snapshot})
        assert fake.control("GET", "clock") == {"now": START}
        assert fake.query("x").json["warnings"] == ["careful"]
        assert fake.points("x[1h]") == [[-15, "1"], [0, "2"]]
        assert fake.values("histogram_count(h)") == {"": "1"}
        assert fake.values("y") == {}
        fake.load({"x": "5"}, end="+1s")
        fake.advance("2m")
        assert fake.values("r") == {"": "1"}
        assert [value for _, value in fake.points("x[1h]")] == ["1", "2", "5"]


def test_snapshot_outlives_a_reset(fake: Fake) -> None:
    fake.load({"x": "1"})
    snapshot = fake.control("POST", "snapshot")["id"]
    fake.control("POST", "reset", {})
    fake.control("POST", "restore", {"id": snapshot})
    assert fake.values("x") == {"": "1"}


def test_unknown_snapshot_is_refused(fake: Fake) -> None:
    assert "there is no snapshot 9999" in fake.refused("restore", {"id": 9999})


def test_tenants_share_nothing(fake: Fake) -> None:
    url = fake.control("POST", "tenants", {"name": "a"})["url"]
    tenant = fake.at(url)
    tenant.load({"x": "1"})
    tenant.advance("1m")
    tenant.control("POST", "faults", {"kind": "error"})
    assert fake.values("x") == {}
    assert fake.control("GET", "clock") == {"now": START}
    assert tenant.query("x").status == 503
    assert [each["tenant"] for each in tenant.control("GET", "journal")] == ["a"]
    assert len(fake.control("GET", "journal")) == 1
    fake.control("POST", "reset", {})
    assert tenant.control("GET", "")["series"] == 1
    fake.control("DELETE", "tenants", {"name": "a"})


def test_tenant_is_reached_by_a_header_on_the_first_port_and_on_the_control_port(fake: Fake) -> None:
    fake.control("POST", "tenants", {"name": "a"})
    for each in (fake, fake.at(fake.control_url)):
        each.control("POST", "reset", {}, **{"X-Scope-OrgID": "a"})
        each.control("POST", "load", {"series": {"x": "1"}}, **{"X-Scope-OrgID": "a"})
        assert fake.query("x", **{"X-Scope-OrgID": "a"}).json["data"]["result"]
        assert not fake.query("x", **{"X-Scope-OrgID": "unknown"}).json["data"]["result"]
    fake.control("DELETE", "tenants", {"name": "a"})


def test_tenant_refuses_alone(fake: Fake) -> None:
    tenant = fake.at(fake.control("POST", "tenants", {"name": "a"})["url"])
    tenant.control("POST", "faults", {"kind": "refuse"})
    with pytest.raises(ConnectionRefusedError):
        tenant.query("1")
    assert fake.query("1").status == 200
    fake.control("DELETE", "faults", **{"X-Scope-OrgID": "a"})
    assert tenant.query("1").status == 200
    fake.control("DELETE", "tenants", {"name": "a"})


def test_tenants_are_listed_and_removed(fake: Fake) -> None:
    first = fake.control("POST", "tenants", {"name": "a"})
    assert fake.control("POST", "tenants", {"name": "a"}) == first
    assert fake.control("GET", "tenants") == fake.control("GET", "")["tenants"] == [first]
    assert fake.control("DELETE", "tenants", {"name": "a"}) == []
    with pytest.raises(ConnectionRefusedError):
        fake.at(first["url"]).query("1")
    answer = fake.ask("DELETE", "/-/fake/tenants", '{"name": "a"}')
    assert (answer.status, answer.json["error"]) == (400, "there is no tenant 'a'; there are none")


def test_the_same_script_gives_the_same_answers_each_time(fake: Fake) -> None:
    def run() -> bytes:
        fake.control("POST", "reset", {})
        noise = {"generator": "counter", "per_second": {"generator": "noise", "mean": 10, "deviation": 3}}
        fake.load({'x{i="{i}"}': noise}, count=5, start="-10m", end="+10m")
        rules = "groups: [{name: g, interval: 7s, rules: [{record: r, expr: 'sum(rate(x[1m]))'}]}]"
        fake.control("POST", "config", {"rules": {"r.yml": rules}})
        fake.advance("5m")
        return fake.query("r[5m]").body

    assert all(one == other for one, other in itertools.pairwise([run(), run(), run()]))


def test_server_that_is_no_fake_has_no_control_api() -> None:
    server = Server(settings_of({"web.listen-address": "127.0.0.1:0"}), Config(), VirtualClock(0))
    assert server._runner.app is not None
    paths = [resource.canonical for resource in server._runner.app.router.resources()]
    assert "/api/v1/query" in paths
    assert not [path for path in paths if "fake" in path]
