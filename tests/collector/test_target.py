"""From discovered labels to targets; cases follow upstream's PopulateLabels and Target.URL."""

from typing import Any

import pytest

from collector.config import GlobalConfig, ScrapeConfig
from collector.relabel import RelabelConfig
from collector.target import Resolved, TargetGroup, resolve


def resolved(targets: list[dict[str, str]], group: dict[str, str] | None = None, **settings: Any) -> Resolved:
    job = ScrapeConfig(job_name="job", **settings).with_defaults(GlobalConfig())
    return resolve(job, [TargetGroup(targets, group or {}, "g")])


def url_of(**settings: Any) -> str:
    return resolved([{"__address__": "host:80"}], **settings).active[0].url


def test_discovered_labels_hold_what_the_job_sets_for_all() -> None:
    labels = dict(
        resolved([{"__address__": "host:80"}], params={"x": ("1", "2")}).active[0].discovered_labels
    )
    assert labels == {
        "__address__": "host:80",
        "__scheme__": "http",
        "__metrics_path__": "/metrics",
        "__scrape_interval__": "1m",
        "__scrape_timeout__": "10s",
        "__param_x": "1",
        "__convert_classic_histograms_to_nhcb__": "false",
        "__always_scrape_classic_histograms__": "false",
        "__scrape_native_histograms__": "false",
        "job": "job",
    }


def test_target_has_job_and_instance_and_nothing_reserved() -> None:
    assert resolved([{"__address__": "host:80"}]).active[0].labels == (
        ("instance", "host:80"),
        ("job", "job"),
    )


def test_own_label_prevails_over_the_groups_and_both_over_the_jobs() -> None:
    target = resolved(
        [{"__address__": "h:1", "a": "own"}], {"a": "group", "b": "group", "job": "other"}
    ).active[0]
    assert dict(target.labels) == {"a": "own", "b": "group", "job": "other", "instance": "h:1"}


def test_histogram_setting_that_relabelling_makes_of_no_bool_fails_the_target() -> None:
    rule = RelabelConfig(target_label="__scrape_native_histograms__", replacement="yes")
    found = resolved([{"__address__": "h:1"}], relabel_configs=(rule,))
    assert found.failures == (
        'instance 0 in group g: error parsing scrape native histograms: expected true or false, got "yes"',
    )


def test_histogram_setting_that_relabelling_empties_is_the_jobs() -> None:
    rule = RelabelConfig(target_label="__scrape_native_histograms__", replacement="")
    [target] = resolved(
        [{"__address__": "h:1"}], relabel_configs=(rule,), scrape_native_histograms=True
    ).active
    assert target.histogram_settings == {}


def test_instance_is_the_address_after_relabelling() -> None:
    rule = RelabelConfig(target_label="__address__", replacement="new:1")
    target = resolved([{"__address__": "old:1"}], relabel_configs=(rule,)).active[0]
    assert (target.instance, target.url) == ("new:1", "http://new:1/metrics")


def test_instance_that_relabelling_sets_stays() -> None:
    rule = RelabelConfig(target_label="instance", replacement="mine")
    assert resolved([{"__address__": "h:1"}], relabel_configs=(rule,)).active[0].instance == "mine"


def test_no_port_is_added_to_an_address() -> None:
    target = resolved([{"__address__": "host"}], scheme="https").active[0]
    assert (target.instance, target.url) == ("host", "https://host/metrics")


def test_meta_labels_are_gone_after_relabelling() -> None:
    rule = RelabelConfig(source_labels=("__meta_pod",), target_label="pod")
    target = resolved([{"__address__": "h:1", "__meta_pod": "p"}], relabel_configs=(rule,)).active[0]
    assert dict(target.labels)["pod"] == "p"
    assert ("__meta_pod", "p") in target.discovered_labels


def test_interval_and_timeout_come_from_labels() -> None:
    rules = (
        RelabelConfig(target_label="__scrape_interval__", replacement="2s"),
        RelabelConfig(target_label="__scrape_timeout__", replacement="500ms"),
    )
    target = resolved([{"__address__": "h:1"}], relabel_configs=rules).active[0]
    assert (target.interval_ms, target.timeout_ms) == (2_000, 500)


@pytest.mark.parametrize(
    ("label", "value", "failure"),
    [
        ("__address__", "", "no address"),
        ("__address__", "http://h:1", '"http://h:1" is not a valid hostname'),
        ("__scrape_interval__", "2", "error parsing scrape interval"),
        ("__scrape_interval__", "0s", "scrape interval cannot be 0"),
        ("__scrape_timeout__", "0s", "scrape timeout cannot be 0"),
        ("__scrape_timeout__", "2m", 'scrape timeout cannot be greater than scrape interval ("2m" > "1m")'),
    ],
)
def test_target_that_cannot_be_scraped_is_a_failure_and_harms_no_other(
    label: str, value: str, failure: str
) -> None:
    rule = RelabelConfig(source_labels=("bad",), regex="yes", target_label=label, replacement=value)
    found = resolved([{"__address__": "h:1", "bad": "yes"}, {"__address__": "h:2"}], relabel_configs=(rule,))
    assert [target.instance for target in found.active] == ["h:2"]
    assert found.failures[0].startswith(f"instance 0 in group g: {failure}")


def test_dropped_target_keeps_its_discovered_labels() -> None:
    rule = RelabelConfig(source_labels=("a",), regex="1", action="drop")
    found = resolved([{"__address__": "h:1", "a": "1"}], relabel_configs=(rule,))
    assert not found.active
    assert ("a", "1") in found.dropped[0]


def test_targets_with_identical_labels_and_url_are_one() -> None:
    assert len(resolved([{"__address__": "h:1", "a": "1"}, {"__address__": "h:1", "a": "1"}]).active) == 1


def test_targets_that_differ_in_meta_labels_alone_are_one() -> None:
    found = resolved([{"__address__": "h:1", "__meta_a": "1"}, {"__address__": "h:1", "__meta_a": "2"}])
    assert len(found.active) == 1


def test_targets_that_differ_in_address_alone_are_two() -> None:
    rule = RelabelConfig(target_label="instance", replacement="same")
    found = resolved([{"__address__": "h:1"}, {"__address__": "h:2"}], relabel_configs=(rule,))
    assert len(found.active) == 2


def test_identity_does_not_change_from_run_to_run() -> None:
    # blake2b-64 over the labels and the URL: a constant, so that scrapes keep their phase over restarts.
    first, second = (resolved([{"__address__": "h:1"}]).active[0].identity for _ in range(2))
    assert first == second
    assert first != resolved([{"__address__": "h:1"}], metrics_path="/x").active[0].identity


def test_parameters_are_ordered_and_escaped() -> None:
    assert url_of(params={"b": ("x y", "2"), "a": ("&",)}) == "http://host:80/metrics?a=%26&b=x+y&b=2"


def test_param_label_replaces_the_first_value() -> None:
    rule = RelabelConfig(target_label="__param_a", replacement="new")
    assert url_of(params={"a": ("1", "2")}, relabel_configs=(rule,)) == "http://host:80/metrics?a=new&a=2"


def test_path_is_escaped_and_begins_with_a_slash() -> None:
    assert url_of(metrics_path="a b?c") == "http://host:80/a%20b%3Fc"
