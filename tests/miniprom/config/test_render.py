"""The configuration shown again."""

import yaml

from miniprom.config import parse_config, render_config

TEXT = """\
global:
  scrape_interval: 15s
  external_labels: {cluster: a}
rule_files: [/rules.yml]
scrape_configs:
  - job_name: app
    body_size_limit: 64MB
    basic_auth: {username: me, password: hunter2}
    static_configs: [{targets: ["h:1"], labels: {a: b}}]
    relabel_configs: [{source_labels: [a], target_label: c}]
"""


def rendered(text: str) -> str:
    return render_config(parse_config(text, "prometheus.yml", {}))


def test_defaults_are_filled_in_and_units_are_prometheus_own() -> None:
    shown = yaml.safe_load(rendered(TEXT))
    assert shown["global"]["scrape_interval"] == "15s"
    assert shown["global"]["evaluation_interval"] == "1m"
    [job] = shown["scrape_configs"]
    assert job["scrape_timeout"] == "10s"
    assert job["body_size_limit"] == "64MiB"
    assert job["metrics_path"] == "/metrics"
    assert job["honor_timestamps"] is True
    assert job["static_configs"] == [{"targets": ["h:1"], "labels": {"a": "b"}}]
    [rule] = job["relabel_configs"]
    assert rule == {
        "source_labels": ["a"],
        "separator": ";",
        "regex": "(.*)",
        "target_label": "c",
        "replacement": "$1",
        "action": "replace",
    }


def test_secrets_are_hidden() -> None:
    shown = rendered(TEXT)
    assert "hunter2" not in shown
    assert "password: <secret>" in shown


def test_job_name_stands_first() -> None:
    assert "scrape_configs:\n- job_name: app\n" in rendered(TEXT)


def test_what_is_shown_loads_to_the_same_configuration() -> None:
    config = parse_config(TEXT.replace("hunter2", "<secret>"), "prometheus.yml", {})
    assert parse_config(render_config(config), "prometheus.yml", {}) == config


def test_password_in_a_url_is_hidden_and_the_rest_shown() -> None:
    text = "remote_write: [{url: 'https://me:hunter2@host:80/a@b'}]\nremote_read: [{url: 'http://host:80/x'}]"
    shown = yaml.safe_load(rendered(text))
    assert shown["remote_write"][0]["url"] == "https://me:xxxxx@host:80/a@b"
    assert shown["remote_read"][0]["url"] == "http://host:80/x"


def test_headers_for_a_proxy_are_secret() -> None:
    job = "{job_name: a, proxy_url: 'http://p', proxy_connect_header: {X-Token: [hunter2]}}"
    [shown] = yaml.safe_load(rendered(f"scrape_configs: [{job}]"))["scrape_configs"]
    assert shown["proxy_connect_header"] == {"X-Token": ["<secret>"]}
