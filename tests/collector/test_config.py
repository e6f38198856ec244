"""Jobs: defaults from global, and checks over several keys. Upstream: GlobalConfig, ScrapeConfig.Validate."""

from typing import Any

import pytest

from collector.config import GlobalConfig, ScrapeConfig
from collector.discovery_config import (
    KubernetesConfig,
    KubernetesNamespaces,
    KubernetesSelector,
    StaticConfig,
)
from collector.errors import ConfigError
from collector.http_config import Authorization, BasicAuth, HttpClientConfig, HttpHeader, TlsConfig
from collector.relabel import RelabelConfig


def finished(global_: GlobalConfig | None = None, **settings: Any) -> ScrapeConfig:
    return ScrapeConfig(job_name="job", **settings).with_defaults(global_ or GlobalConfig())


def test_interval_is_a_minute_and_timeout_ten_seconds() -> None:
    job = finished()
    assert (job.scrape_interval_ms, job.scrape_timeout_ms) == (60_000, 10_000)


def test_default_timeout_is_cut_to_the_interval() -> None:
    assert GlobalConfig(scrape_interval_ms=5_000).scrape_timeout_ms == 5_000
    assert finished(scrape_interval_ms=3_000).scrape_timeout_ms == 3_000


def test_timeout_longer_than_the_interval_is_refused() -> None:
    with pytest.raises(ConfigError, match="global scrape timeout greater than scrape interval"):
        GlobalConfig(scrape_interval_ms=1_000, scrape_timeout_ms=1_001)
    with pytest.raises(ConfigError, match="scrape timeout greater than scrape interval"):
        finished(scrape_interval_ms=1_000, scrape_timeout_ms=1_001)


def test_limits_are_inherited_where_a_job_has_none() -> None:
    global_ = GlobalConfig(sample_limit=5, body_size_limit_bytes=7)
    assert finished(global_).sample_limit == 5
    job = finished(global_, sample_limit=1)
    assert (job.sample_limit, job.body_size_limit_bytes) == (1, 7)


def test_false_in_a_job_prevails_over_true_in_global() -> None:
    global_ = GlobalConfig(extra_scrape_metrics=True)
    assert finished(global_).extra_scrape_metrics is True
    assert finished(global_, extra_scrape_metrics=False).extra_scrape_metrics is False


def test_protocols_are_the_text_formats_unless_something_else_is_asked_for() -> None:
    assert finished().scrape_protocols == (
        "OpenMetricsText1.0.0",
        "OpenMetricsText0.0.1",
        "PrometheusText1.0.0",
        "PrometheusText0.0.4",
    )
    global_ = GlobalConfig(scrape_protocols=("PrometheusText0.0.4",))
    assert finished(global_).scrape_protocols == ("PrometheusText0.0.4",)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("utf8", "allow-utf-8")),
        ({"metric_name_validation_scheme": "legacy"}, ("legacy", "underscores")),
        ({"metric_name_escaping_scheme": "dots"}, ("utf8", "dots")),
    ],
)
def test_escaping_follows_the_validation_scheme(settings: dict[str, Any], expected: tuple[str, str]) -> None:
    job = finished(**settings)
    assert (job.metric_name_validation_scheme, job.metric_name_escaping_scheme) == expected


def test_unescaped_names_do_not_go_with_legacy_validation() -> None:
    with pytest.raises(ConfigError, match="utf8 metric names requested"):
        finished(metric_name_validation_scheme="legacy", metric_name_escaping_scheme="allow-utf-8")


def test_relabelling_targets_are_checked_under_the_jobs_scheme() -> None:
    rule = RelabelConfig(target_label="a-b")
    finished(relabel_configs=(rule,))
    with pytest.raises(ConfigError, match="is invalid 'target_label'"):
        finished(metric_relabel_configs=(rule,), metric_name_validation_scheme="legacy")


def test_url_as_an_address_is_refused_unless_relabelling_may_mend_it() -> None:
    static = (StaticConfig(targets=("http://h:1",)),)
    with pytest.raises(ConfigError, match='"http://h:1" is not a valid hostname'):
        ScrapeConfig(job_name="job", static_configs=static)
    ScrapeConfig(job_name="job", static_configs=static, relabel_configs=(RelabelConfig(target_label="a"),))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ScrapeConfig(job_name=""), "job_name is empty"),
        (lambda: ScrapeConfig(job_name="a", sample_limit=-1), "sample_limit must not be negative"),
        (lambda: ScrapeConfig(job_name="a", scrape_protocols=()), "scrape_protocols cannot be empty"),
        (lambda: BasicAuth(password="a", password_file="b"), "at most one of basic_auth password"),
        (lambda: Authorization(type=" Basic"), 'authorization type cannot be set to "basic"'),
        (lambda: TlsConfig(cert_file="a"), "exactly one of key or key_file must be configured"),
        (lambda: HttpClientConfig(bearer_token="a", bearer_token_file="b"), "at most one of bearer_token"),
        (lambda: HttpClientConfig(bearer_token="a", basic_auth=BasicAuth()), "at most one of basic_auth"),
        (lambda: HttpClientConfig(authorization=Authorization(), basic_auth=BasicAuth()), "at most one of"),
        (
            lambda: HttpClientConfig(http_headers={"Host": HttpHeader()}),
            'setting header "Host" is not allowed',
        ),
        (
            lambda: KubernetesConfig(role="pod", http=HttpClientConfig(bearer_token="a")),
            "needs the 'api_server' URL",
        ),
        (
            lambda: KubernetesConfig(
                role="pod", api_server="https://k", namespaces=KubernetesNamespaces(own_namespace=True)
            ),
            "cannot use 'api_server' and 'namespaces.own_namespace'",
        ),
        (
            lambda: KubernetesConfig(role="node", selectors=(KubernetesSelector(role="pod"),)),
            "node role supports only node selectors",
        ),
        (
            lambda: KubernetesConfig(role="pod", selectors=(KubernetesSelector(role="pod"),) * 2),
            "duplicated selector role: pod",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(build: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build()


def test_secrets_do_not_show_in_the_text_of_a_section() -> None:
    config = HttpClientConfig(basic_auth=BasicAuth(username="me", password="hunter2"))
    assert "me" in repr(config)
    assert "hunter2" not in repr(config)


def test_job_with_native_histograms_asks_for_protobuf_first_unless_told_otherwise() -> None:
    native = ScrapeConfig(job_name="a", scrape_native_histograms=True)
    protocols = native.with_defaults(GlobalConfig()).scrape_protocols
    assert protocols is not None
    assert protocols[0] == "PrometheusProto"
    text_only = GlobalConfig(scrape_protocols=("PrometheusText0.0.4",))
    assert native.with_defaults(text_only).scrape_protocols == ("PrometheusText0.0.4",)
    off = ScrapeConfig(job_name="a", scrape_native_histograms=False)
    inherited = off.with_defaults(GlobalConfig(scrape_native_histograms=True))
    assert inherited.scrape_protocols == protocols[1:]
