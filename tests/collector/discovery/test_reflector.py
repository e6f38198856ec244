"""The list-and-watch machine, without a server."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.discovery.kubernetes.objects import KubeObject
from collector.discovery.kubernetes.reflector import Event, Reflector, Selector
from collector.discovery.kubernetes.resources import NAMESPACES, PODS
from collector.errors import DiscoveryError


def page(*names: str, version: str = "10", more: str = "") -> bytes:
    items = [{"metadata": {"name": name, "resourceVersion": version}} for name in names]
    return json.dumps({"metadata": {"resourceVersion": version, "continue": more}, "items": items}).encode()


def line(type_: str, name: str, version: str) -> bytes:
    return json.dumps(
        {"type": type_, "object": {"metadata": {"name": name, "resourceVersion": version}}}
    ).encode()


def test_selectors_and_namespace_are_part_of_every_request() -> None:
    pods = Reflector(PODS, "apps", Selector(label="a=b", field="spec.nodeName=n"))
    request = pods.request(300)
    assert request.path == "/api/v1/namespaces/apps/pods"
    assert request.params == {"labelSelector": "a=b", "fieldSelector": "spec.nodeName=n", "limit": "500"}
    pods.page(page())
    assert pods.request(300).params == {
        "labelSelector": "a=b",
        "fieldSelector": "spec.nodeName=n",
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": "10",
        "timeoutSeconds": "300",
    }


def test_objects_of_a_list_count_when_its_last_page_is_there() -> None:
    reflector = Reflector(NAMESPACES)
    assert reflector.page(page("a", more="token")) == []
    assert not reflector.is_synced
    assert reflector.request(300).params["continue"] == "token"
    assert [change.object.metadata.name for change in reflector.page(page("b"))] == ["a", "b"]
    assert reflector.is_synced


def test_continue_token_that_expired_begins_the_list_anew() -> None:
    reflector = Reflector(NAMESPACES)
    reflector.page(page("a", more="token"))
    reflector.refused(410)
    assert "continue" not in reflector.request(300).params
    reflector.page(page("b"))
    assert set(reflector.objects) == {"b"}


def test_other_refusals_change_nothing() -> None:
    reflector = Reflector(NAMESPACES)
    reflector.page(page("a"))
    reflector.refused(503)
    assert reflector.request(300).params["resourceVersion"] == "10"


def test_error_event_of_a_forgotten_version_begins_anew_and_keeps_the_objects() -> None:
    reflector = Reflector(NAMESPACES)
    reflector.page(page("a"))
    gone = b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}'
    with pytest.raises(DiscoveryError, match="watching namespaces: 410 too old"):
        reflector.line(gone)
    assert not reflector.request(300).is_watch
    assert set(reflector.objects) == {"a"}


@pytest.mark.parametrize("broken", [b"{", b'{"type":"ADDED"}', b'{"type":"ADDED","object":{"metadata":7}}'])
def test_unreadable_event_begins_anew_since_what_it_said_is_lost(broken: bytes) -> None:
    reflector = Reflector(NAMESPACES)
    reflector.page(page("a"))
    with pytest.raises(DiscoveryError, match="unreadable event of namespaces"):
        reflector.line(broken)
    assert not reflector.request(300).is_watch


def test_unreadable_list_is_told() -> None:
    with pytest.raises(DiscoveryError, match="unreadable list of pods"):
        Reflector(PODS).page(b'{"items":[{"metadata":{"name":"p"},"spec":7}]}')


NAMES = st.sampled_from("abcd")
STEPS = st.lists(st.tuples(st.sampled_from(["put", "delete", "bookmark", "lose"]), NAMES), max_size=40)


@given(STEPS)
def test_told_changes_always_add_up_to_the_servers_objects(steps: list[tuple[str, str]]) -> None:
    server: dict[str, int] = {}
    told: set[str] = set()
    version, missed = 10, False
    reflector: Reflector[KubeObject] = Reflector(NAMESPACES)
    reflector.page(page())
    for step, name in steps:
        version += 1
        changes = []
        if step == "lose":
            reflector.refused(410)
            missed = True
        elif step == "bookmark" and not missed:
            changes = reflector.line(line("BOOKMARK", "", str(version)))
        elif step == "put" or (step == "delete" and name in server):
            type_ = "DELETED" if step == "delete" else "MODIFIED" if name in server else "ADDED"
            server[name] = version
            if step == "delete":
                del server[name]
            if not missed:
                changes = reflector.line(line(type_, name, str(version)))
        if missed and step == "bookmark":
            items = [{"metadata": {"name": n, "resourceVersion": str(v)}} for n, v in server.items()]
            body = {"metadata": {"resourceVersion": str(version)}, "items": items}
            changes, missed = reflector.page(json.dumps(body).encode()), False
        for change in changes:
            key = change.object.metadata.key
            assert (change.event is Event.ADD) == (key not in told)
            (told.discard if change.event is Event.DELETE else told.add)(key)
        if not missed:
            assert told == set(reflector.objects) == set(server)
            versions = {n: int(o.metadata.resource_version) for n, o in reflector.objects.items()}
            assert versions == server
