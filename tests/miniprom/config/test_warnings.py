"""Keys that are read but do nothing yet are named."""

from miniprom.config import parse_config, warnings_of


def warnings(text: str) -> list[str]:
    return warnings_of(parse_config(text, "prometheus.yml", {}))


def test_nothing_is_said_of_a_file_that_has_its_full_effect() -> None:
    assert warnings("scrape_configs: [{job_name: a, static_configs: [{targets: ['h:1']}]}]") == []


def test_sections_without_effect_are_named() -> None:
    text = "runtime: {gogc: 50}\nremote_write: [{url: http://x}]\nstorage: {exemplars: {max_exemplars: 5}}"
    assert warnings(text) == [
        "runtime: not supported yet, ignored",
        "storage.exemplars: not supported yet, ignored",
        "remote_write: not supported yet, ignored",
    ]


def test_key_is_named_with_its_sections() -> None:
    text = "storage: {tsdb: {retention: {percentage: 5}}}"
    assert warnings(text) == ["storage.tsdb.retention.percentage: not supported yet, ignored"]
