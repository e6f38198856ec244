"""Flags: both spellings, defaults, mistakes; and what they become."""

import re
import subprocess
import sys

import pytest

from miniprom.cli.serve import read_flags
from miniprom.flags import FLAGS
from miniprom.settings import BadFlagError, ListenAddress, settings_of
from tests.end_to_end.programs import program


@pytest.mark.parametrize("arguments", [["--query.timeout=30s"], ["--query.timeout", "30s"]])
def test_value_stands_after_an_equals_sign_or_a_space(arguments: list[str]) -> None:
    assert read_flags(arguments) == {"query.timeout": "30s"}


def test_switch_needs_no_value_and_can_be_negated() -> None:
    assert read_flags(["--web.enable-lifecycle"]) == {"web.enable-lifecycle": "true"}
    assert read_flags(["--no-web.enable-lifecycle"]) == {"web.enable-lifecycle": "false"}


def test_flag_that_repeats_adds_up() -> None:
    given = read_flags(["--enable-feature=a,b", "--enable-feature=c"])
    assert settings_of(given).features == {"a", "b", "c"}


def test_mistyped_flag_is_refused_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        read_flags(["--storage.tsdb.retention.tim=1h"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        "miniprom: unknown flag --storage.tsdb.retention.tim; "
        "did you mean --storage.tsdb.retention.time?; try --help\n"
    )


def test_abbreviated_flag_is_refused() -> None:
    with pytest.raises(SystemExit):
        read_flags(["--query.time=1s"])


def test_defaults_are_prometheus_own_but_for_the_retention() -> None:
    settings = settings_of({})
    assert settings.retention_ms == 7_200_000
    assert settings.lookback_ms == 300_000
    assert settings.query_timeout_ms == 120_000
    assert (settings.query_max_concurrency, settings.query_max_samples) == (20, 50_000_000)
    assert settings.listen == (ListenAddress("0.0.0.0", 9090),)
    assert settings.flags["storage.tsdb.retention.time"] == "2h"


def test_older_spelling_of_the_retention_counts() -> None:
    assert settings_of({"storage.tsdb.retention": "30m"}).retention_ms == 1_800_000


def test_newer_spelling_of_the_retention_wins() -> None:
    given = {"storage.tsdb.retention": "30m", "storage.tsdb.retention.time": "45s"}
    assert settings_of(given).retention_ms == 45_000


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("query.timeout", "soon", "not a valid duration"),
        ("storage.tsdb.retention.time", "0s", "expected more than zero"),
        ("query.max-samples", "many", "expected a whole number"),
        ("query.max-concurrency", "0", "greater than zero"),
        ("log.level", "loud", "expected one of debug, info, warn, error"),
        ("web.config.file", "web.yml", "unsafe"),
        ("web.listen-address", "9090", "expected host:port"),
        ("web.listen-address", "host:99999", "expected host:port"),
    ],
)
def test_bad_value_names_the_flag_and_what_was_expected(name: str, value: str, part: str) -> None:
    with pytest.raises(BadFlagError) as refused:
        settings_of({name: value})
    assert str(refused.value).startswith(f"--{name}: ")
    assert part in str(refused.value)


@pytest.mark.parametrize(
    ("given", "prefix"),
    [
        ({}, ""),
        ({"web.route-prefix": "/"}, ""),
        ({"web.route-prefix": "prom/"}, "/prom"),
        ({"web.external-url": "http://host/prom/"}, "/prom"),
        ({"web.external-url": "http://host/prom", "web.route-prefix": "/"}, ""),
    ],
)
def test_route_prefix_comes_from_its_flag_or_the_external_url(given: dict[str, str], prefix: str) -> None:
    assert settings_of(given).route_prefix == prefix


@pytest.mark.parametrize("text", ["[::1]:9090", "::1:9090"])
def test_address_may_be_ipv6(text: str) -> None:
    assert settings_of({"web.listen-address": text}).listen == (ListenAddress("::1", 9090),)


def test_flag_without_effect_is_accepted_and_noticed() -> None:
    notices = settings_of({"storage.tsdb.min-block-duration": "1h", "enable-feature": "what"}).notices
    assert notices == (
        "--storage.tsdb.min-block-duration has no effect: there are no blocks on disk",
        "Unknown option for --enable-feature: what",
    )


def test_flag_names_are_unique() -> None:
    names = [flag.name for flag in FLAGS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_neither_numpy_nor_aiohttp(argument: str) -> None:
    code = (
        "import sys\nfrom miniprom.cli import main\n"
        f"try: main(['{argument}'])\nexcept SystemExit: pass\n"
        "assert not {'numpy', 'aiohttp', 'asyncio'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.peer
def test_flags_that_manifests_pass_to_prometheus_are_known() -> None:
    shown = subprocess.run([program("prometheus"), "--help"], capture_output=True, text=True, check=False)
    theirs = set(re.findall(r"^ +(?:-\w, )?--([a-z.-]+[a-z])", shown.stdout + shown.stderr, re.MULTILINE))
    known = {flag.name for flag in FLAGS}
    assert "config.file" in theirs
    debian = {"storage.tsdb.use-lockfile", "web.local-assets"}
    others = {name for name in theirs if name.startswith(("help", "version", "storage.agent."))}
    assert theirs - known - debian - others == set()
