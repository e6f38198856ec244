"""What upstream's config.go, common's http_config and the discoveries accept and refuse, key by key.

The cases stand in a file of their own: first the verdict, with what the message must contain, then the YAML.
"""

from pathlib import Path

import pytest

from collector.discovery_config import UNSUPPORTED_DISCOVERIES
from miniprom.config import ConfigFileError, parse_config

CASES = [case.split("\n", 1) for case in Path(__file__).with_name("cases.yml.txt").read_text().split("---\n")]
GOOD = [text for verdict, text in CASES if verdict == "# good"]
BAD = [(text, verdict.removeprefix("# bad: ")) for verdict, text in CASES if verdict != "# good"]


@pytest.mark.parametrize("text", GOOD)
def test_what_upstream_loads_is_loaded(text: str) -> None:
    parse_config(text, "prometheus.yml", {})


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_what_upstream_refuses_is_refused_for_its_reason(text: str, reason: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        parse_config(text, "prometheus.yml", {})
    assert reason in str(caught.value)


@pytest.mark.parametrize("key", sorted(UNSUPPORTED_DISCOVERIES))
@pytest.mark.parametrize(
    "around", ["scrape_configs: [{{job_name: j, {}}}]", "alerting: {{alertmanagers: [{{{}}}]}}"]
)
def test_discoveries_of_clouds_are_no_typos(key: str, around: str) -> None:
    with pytest.raises(ConfigFileError, match=f'^prometheus.yml:1: .*"{key}" is not supported by miniprom$'):
        parse_config(around.format(f"{key}: []"), "prometheus.yml", {})
