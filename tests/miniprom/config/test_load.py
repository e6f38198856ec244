"""Loading `prometheus.yml`: what the file may say, and how faults are told."""

from pathlib import Path

import pytest

from collector.config import ScrapeConfig
from miniprom.config import Config, ConfigFileError, load_config, parse_config


def parse(text: str, **environ: str) -> Config:
    return parse_config(text, "prometheus.yml", environ)


def job(text: str) -> ScrapeConfig:
    """The one job of a file with these keys."""
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    [config] = parse(f"scrape_configs:\n  - job_name: j\n{indented}").scrape_configs
    return config


def fault(text: str) -> str:
    with pytest.raises(ConfigFileError) as caught:
        parse(text)
    return str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing\n", "global:\n", "{}"])
def test_empty_file_has_all_defaults(text: str) -> None:
    config = parse(text)
    assert config.global_.scrape_interval_ms == 60_000
    assert config.scrape_configs == ()


def test_global_is_inherited_by_jobs() -> None:
    config = parse("global: {scrape_interval: 15s, sample_limit: 7}\nscrape_configs: [{job_name: a}]")
    [only] = config.scrape_configs
    assert (only.scrape_interval_ms, only.scrape_timeout_ms, only.sample_limit) == (15_000, 10_000, 7)


def test_unknown_key_is_told_with_its_line_and_the_nearest_name() -> None:
    text = "global:\n  scrape_interval: 5s\nscrape_configs:\n  - job_name: a\n    scrape_intervall: 5s\n"
    assert fault(text) == (
        'prometheus.yml:5: scrape_configs[0]: unknown key "scrape_intervall"; did you mean "scrape_interval"?'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("globl: {}", 'prometheus.yml:1: unknown key "globl"; did you mean "global"?'),
        ("global:\n  xyz: 1", 'prometheus.yml:2: global: unknown key "xyz"'),
        ("scrape_configs:\n  - job_name: a\n    ec2_sd_configs: []",
         'prometheus.yml:3: scrape_configs[0]: "ec2_sd_configs" is not supported by miniprom'),
        ("scrape_configs:\n  - job_name: a\n    oauth2: {grant_type: x}",
         'prometheus.yml:3: scrape_configs[0].oauth2: "grant_type" is not supported by miniprom'),
        ("scrape_configs: 5", 'prometheus.yml:1: scrape_configs: expected a list, got "5"'),
        ("scrape_configs:\n  - a", 'prometheus.yml:2: scrape_configs[0]: expected keys and values, got "a"'),
        ("scrape_configs:\n  -",
         "prometheus.yml:2: scrape_configs[0]: empty section; expected keys and values"),
        ("scrape_configs:\n  - params: {}", 'prometheus.yml:2: scrape_configs[0]: missing key "job_name"'),
        ("global:\n  sample_limit: many",
         'prometheus.yml:2: global.sample_limit: expected an integer, got "many"'),
        ('global:\n  sample_limit: "5"',
         'prometheus.yml:2: global.sample_limit: expected an integer, got "5"'),
        ("scrape_configs:\n  - job_name: a\n    honor_labels: maybe",
         'prometheus.yml:3: scrape_configs[0].honor_labels: expected true or false, got "maybe"'),
        ("scrape_configs:\n  - job_name: a\n    scheme: ftp",
         'prometheus.yml:3: scrape_configs[0].scheme: expected one of http, https; got "ftp"'),
        ("scrape_configs:\n  - job_name: [a]",
         "prometheus.yml:2: scrape_configs[0].job_name: expected text, got a list"),
        ("global:\n  scrape_interval: 5",
         'prometheus.yml:2: global.scrape_interval: not a valid duration string: "5"; '
         "expected one such as 30s or 1h30m"),
        ("global: {}\nglobal: {}", 'prometheus.yml:2: key "global" is given twice'),
        ("global: [", "prometheus.yml:1: expected the node content, but found '<stream end>'"),
        ("global:\n\tx: 1", "prometheus.yml:2: found character '\\t' that cannot start any token"),
        ("global:\n  external_labels:\n    '': x",
         'prometheus.yml:3: global.external_labels: "" is not a valid label name'),
    ],
)  # fmt: skip
def test_fault_is_told_with_place_and_expectation(text: str, message: str) -> None:
    assert fault(text) == message


def test_fault_of_a_rule_is_told_where_the_rule_stands() -> None:
    text = """\
scrape_configs:
  - job_name: a
    relabel_configs:
      - target_label: x
      - action: keep
        regex: a(b
"""
    assert fault(text).startswith(
        "prometheus.yml:6: scrape_configs[0].relabel_configs[1]: invalid regular expression 'a(b'"
    )


def test_fault_between_a_job_and_global_is_told_where_the_job_stands() -> None:
    text = "global:\n  scrape_interval: 5s\nscrape_configs:\n  - job_name: a\n    scrape_timeout: 6s\n"
    assert fault(text).startswith("prometheus.yml:5: scrape_configs[0]: scrape timeout greater than")


def test_job_name_given_twice_is_refused() -> None:
    text = "scrape_configs:\n  - job_name: a\n  - job_name: b\n  - job_name: a\n"
    assert fault(text).startswith(
        'prometheus.yml:4: scrape_configs[2]: found multiple scrape configs with job name "a"'
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("true", "true"),
        ("1234", "1234"),
        ("1.50", "1.50"),
        ("12:30", "12:30"),
        ("0x1F", "0x1F"),
        ("'~'", "~"),
        ("~", ""),
    ],
)
def test_text_takes_any_scalar_as_it_is_written(written: str, read: str) -> None:
    assert job(f"params: {{a: [{written}]}}").params == {"a": (read,)}


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "yes", "Yes", "on", "y"])
def test_booleans_are_those_of_go_yaml(word: str) -> None:
    assert job(f"honor_labels: {word}").honor_labels is True
    assert fault(f"scrape_configs: [{{job_name: j, honor_labels: '{word}'}}]")


@pytest.mark.parametrize(
    ("written", "number"), [("12", 12), ("0x10", 16), ("010", 8), ("1_000", 1_000), ("0", 0)]
)
def test_integers_are_those_of_go_yaml(written: str, number: int) -> None:
    assert job(f"sample_limit: {written}").sample_limit == number


def test_sections_left_empty_keep_their_defaults() -> None:
    config = job("tls_config:\nstatic_configs:\nparams:\nrelabel_configs:")
    assert (config.static_configs, config.params, config.relabel_configs) == ((), {}, ())
    assert config.http.tls_config.insecure_skip_verify is False


def test_client_settings_stand_among_the_keys_of_the_job() -> None:
    http = job("bearer_token: 1234\ntls_config: {insecure_skip_verify: true}\nfollow_redirects: false").http
    assert (http.bearer_token, http.tls_config.insecure_skip_verify, http.follow_redirects) == (
        "1234",
        True,
        False,
    )


def test_anchors_and_merges_are_resolved() -> None:
    text = """\
scrape_configs:
  - &base
    job_name: a
    scheme: https
    sample_limit: 5
  - <<: *base
    job_name: b
    sample_limit: 6
"""
    _, second = parse(text).scrape_configs
    assert (second.job_name, second.scheme, second.sample_limit) == ("b", "https", 6)


def test_environment_fills_external_labels_and_nothing_else() -> None:
    text = """\
global:
  external_labels: {a: "${X}-$X", b: "$$X", c: "$none"}
scrape_configs: [{job_name: "${X}"}]
"""
    config = parse(text, X="value")
    assert config.global_.external_labels == {"a": "value-value", "b": "$X", "c": ""}
    assert config.scrape_configs[0].job_name == "${X}"


def test_file_names_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text("rule_files: [a.yml, /b.yml]\nscrape_configs: [{job_name: a, bearer_token_file: t}]")
    config = load_config(str(file))
    assert config.rule_files == (str(tmp_path / "a.yml"), "/b.yml")
    assert config.scrape_configs[0].http.bearer_token_file == str(tmp_path / "t")


def test_jobs_of_included_files_get_the_defaults_and_unique_names(tmp_path: Path) -> None:
    main, included = tmp_path / "prometheus.yml", tmp_path / "more.yml"
    main.write_text(
        "global: {scrape_interval: 7s}\nscrape_config_files: [mor*.yml]\nscrape_configs: [{job_name: a}]"
    )
    included.write_text("scrape_configs:\n  - job_name: b\n")
    first, second = load_config(str(main)).scrape_configs
    assert (first.job_name, second.job_name, second.scrape_interval_ms) == ("a", "b", 7_000)
    included.write_text("scrape_configs:\n  - job_name: a\n")
    with pytest.raises(ConfigFileError, match=r"more.yml:2: .*job name \"a\", first in main config file"):
        load_config(str(main))


def test_only_the_first_document_is_read_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    config = parse_config("---\nglobal: {scrape_interval: 7s}\n---\nnonsense: [\n", "prometheus.yml", {})
    assert config.global_.scrape_interval_ms == 7000
    assert caplog.messages == ["prometheus.yml: only the first YAML document is read"]


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileError, match=r"none\.yml: No such file or directory"):
        load_config(str(tmp_path / "none.yml"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"global:\n  scrape_interval: 5s \x00\n",
         "prometheus.yml:2: character U+0000 is not allowed in YAML"),
        (b"global:\n  external_labels: {a: \xff}\n", "prometheus.yml:2: not UTF-8 text"),
        (b'global:\n  external_labels:\n    !!binary "/w==": x\n',
         "prometheus.yml:3: global.external_labels: expected text in UTF-8, got '/w=='"),
        (b'global:\n  external_labels:\n    a: !!binary "/w=="\n',
         "prometheus.yml:3: global.external_labels.a: expected text in UTF-8, got '/w=='"),
        (b'scrape_configs:\n  - job_name: "\\ud800"\n',
         "prometheus.yml:2: scrape_configs[0].job_name: expected text in UTF-8, got '\\ud800'"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_text_are_told_with_their_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "prometheus.yml").write_bytes(content)
    with pytest.raises(ConfigFileError) as caught:
        load_config(str(tmp_path / "prometheus.yml"))
    assert str(caught.value) == f"{tmp_path}/{message}"


def test_binary_that_is_text_is_read_as_text() -> None:
    config = parse('global: {external_labels: {a: !!binary "YmM="}}')
    assert config.global_.external_labels == {"a": "bc"}
