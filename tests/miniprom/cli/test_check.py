"""`miniprom check`: what is said, and exit codes."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from miniprom.cli.main import main

JOB = "job_name: a, static_configs: [{targets: ['h:1']}]"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(folder: Path, config: str, *flags: str) -> int:
    (folder / "prometheus.yml").write_text(config)
    return main(["check", "config", *flags, "prometheus.yml"])


def test_unknown_check_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "confg"]) == 2
    assert "expected one of config, rules, metrics, service-discovery" in capsys.readouterr().err


def test_good_configuration_succeeds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, f"scrape_configs: [{{{JOB}}}]") == 0
    assert capsys.readouterr().out == (
        "Checking prometheus.yml\n SUCCESS: prometheus.yml is valid prometheus config file syntax\n\n"
    )


def test_bad_configuration_fails_with_file_line_and_nearest_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(folder, f"scrape_configs:\n- {{{JOB}, scrape_intervall: 1s}}") == 1
    assert capsys.readouterr().err == (
        '  FAILED: prometheus.yml:2: scrape_configs[0]: unknown key "scrape_intervall"; '
        'did you mean "scrape_interval"?\n'
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ("bearer_token_file: t", "scrape_configs[0].bearer_token_file"),
        ("tls_config: {ca_file: t}", "scrape_configs[0].tls_config.ca_file"),
        ("http_headers: {X: {files: [t]}}", "scrape_configs[0].http_headers[X].files"),
        ("oauth2: {client_id: a, token_url: 'http://b', client_secret_file: t}", "client_secret_file"),
        ("kubernetes_sd_configs: [{role: pod, kubeconfig_file: t}]", "kubeconfig_file"),
    ],
)
def test_named_file_must_be_there_unless_only_the_syntax_is_checked(
    folder: Path, capsys: pytest.CaptureFixture[str], settings: str, named: str
) -> None:
    config = f"scrape_configs: [{{{JOB}, {settings}}}]"
    assert check(folder, config) == 1
    said = capsys.readouterr().err
    assert f'{named}: "t" does not point to an existing file' in said
    assert check(folder, config, "--syntax-only") == 0
    (folder / "t").write_text("x")
    assert check(folder, config) == 0


def test_rule_files_are_checked_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "rule_files: [r.yml]") == 1
    assert '"r.yml" does not point to an existing file' in capsys.readouterr().err
    rule = "{record: a, expr: b}"
    (folder / "r.yml").write_text(f"groups: [{{name: g, rules: [{rule}, {rule}]}}]")
    assert check(folder, "rule_files: [r.yml]") == 0
    assert "1 duplicate rule(s) found" in capsys.readouterr().err
    assert check(folder, "rule_files: [r.yml]", "--lint-fatal") == 3
    (folder / "r.yml").write_text("groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]")
    assert check(folder, "rule_files: [r.yml]") == 1


def test_files_of_targets_are_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = "scrape_configs: [{job_name: a, file_sd_configs: [{files: [t.json]}]}]"
    assert check(folder, config) == 0
    assert 'file "t.json" for file_sd in scrape job "a" does not exist' in capsys.readouterr().out
    (folder / "t.json").write_text("[{]")
    assert check(folder, config) == 1
    assert 'checking SD file "t.json"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ((), 0),
        (("--lint=all", "--lint-fatal"), 3),
        (("--lint=all",), 0),
        (("--lint=all", "--lint-fatal", "--query.lookback-delta=11m"), 0),
    ],
)
def test_interval_as_long_as_the_lookback_is_lint(folder: Path, flags: tuple[str, ...], code: int) -> None:
    assert check(folder, f"scrape_configs: [{{{JOB}, scrape_interval: 10m}}]", *flags) == code


def test_what_has_no_effect_is_warned_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "runtime: {gogc: 50}") == 0
    assert "WARNING: runtime: not supported yet, ignored" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "flags", "code"),
    [
        ("# HELP a x\n# TYPE a gauge\na 1\n", (), 0),
        ("a 1\n", (), 3),
        ("a 1\n", ("--lint=none", "--extended"), 0),
        ("a{\n", (), 1),
        ("a 1\n", ("--lint=none",), 1),
    ],
)
def test_exit_code_of_metrics(
    monkeypatch: pytest.MonkeyPatch, text: str, flags: tuple[str, ...], code: int
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    assert main(["check", "metrics", *flags]) == code


def test_metrics_are_counted_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    body = b'a{x="1"} 1\na{x="2"} 1\nb 1\nc 1\n'
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(body)))
    main(["check", "metrics", "--lint=none", "--extended"])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["Metric", "Cardinality", "Percentage"],
        ["a", "2", "50.00%"],
        ["b", "1", "25.00%"],
        ["c", "1", "25.00%"],
        ["Total", "4", "100%"],
    ]
