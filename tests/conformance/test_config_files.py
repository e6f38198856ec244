"""Upstream's own configuration files: those named good must load, those named bad must be refused."""

import os
from pathlib import Path

import pytest

from miniprom.config import ConfigFileError, load_config, render_config
from tests.conformance.conftest import BESIDE_REPOSITORY

ROOT = Path(os.environ.get("MINIPROM_CONFORMANCE", BESIDE_REPOSITORY))
FILES = sorted((ROOT / "config").rglob("*.yml"))

INCOMPLETE = ("scrape_config_files_duplicate.bad.yml", "scrape_config_files_global_duplicate.bad.yml")
"""The files that these include are not among the cases."""

NOT_SUPPORTED = {
    "scrape_configs/scrape_config_files2.good.yml": '"vultr_sd_configs" is not supported by miniprom'
}
"""What upstream loads and miniprom refuses by choice, and what it says."""

REASONS = {
    "at most one of bearer_token & bearer_token_file": ["bearertoken"],
    "at most one of basic_auth, oauth2, bearer_token": [
        "bearertoken_basicauth", "kubernetes_bearertoken_basicauth",
    ],
    "empty section": [
        "empty_alert_relabel_config", "empty_metric_relabel_config", "empty_rr_config",
        "empty_rw_relabel_config", "empty_scrape_config", "empty_target_relabel_config",
    ],
    "relabel action cannot be empty": ["empty_scrape_config_action"],
    "dropequal action requires": ["dropequal", "dropequal1"],
    "labeldrop action requires only 'regex'": ["labeldrop2", "labeldrop4"],
    "labelkeep action requires only 'regex'": ["labelkeep", "labelkeep2", "labelkeep5"],
    "lowercase action requires 'target_label'": ["lowercase"],
    "uppercase action requires 'target_label'": ["uppercase"],
    "'replacement' can not be set for uppercase": ["uppercase3"],
    "hashmod requires non-zero modulus": ["modulus_missing"],
    "invalid regular expression": ["regex"],
    "external_labels: expected text in UTF-8": ["labelname"],
    "host is missing in URL": ["http_url_no_host"],
    "job_name is empty": ["jobname"],
    'multiple scrape configs with job name "prometheus"': ["jobname_dup"],
    "'api_server' and 'namespaces.own_namespace'": ["kubernetes_api_server_with_own_namespace"],
    "together with 'kubeconfig_file'": ["kubernetes_kubeconfig_with_http_config"],
    "'kubeconfig_file' and 'namespaces.own_namespace'": ["kubernetes_kubeconfig_with_own_namespace"],
    'namespaces: unknown key "foo"': ["kubernetes_namespace_discovery"],
    "endpoints role supports only": ["kubernetes_selectors_endpoints"],
    "ingress role supports only": ["kubernetes_selectors_ingress"],
    "node role supports only": ["kubernetes_selectors_node"],
    "pod role supports only": ["kubernetes_selectors_pod"],
    "service role supports only": ["kubernetes_selectors_service"],
    "expected one of utf8, legacy": ["metric_name_validation_scheme"],
    "url for remote_read is empty": ["remote_read_url_missing"],
    "url for remote_write is empty": ["remote_write_url_missing"],
    'remote_write configs with job name "queue1"': ["remote_write_dup"],
    "is a reserved header": ["remote_write_header"],
    "capacity must be greater than 0": ["remote_write_queue_capacity_zero"],
    "min_shards must be greater than 0": ["remote_write_queue_min_shards_zero"],
    "only its last part may hold a *": ["rules"],
    "body_size_limit: not a valid size": ["scrape_body_size_limit"],
    "fallback_scrape_protocol: expected text, got a list": ["scrape_config_files_fallback_scrape_protocol2"],
    "validation scheme is not set to UTF8": ["scrape_config_utf8_conflicting"],
    "scrape timeout greater than scrape interval": ["scrape_interval"],
    'key "scrape_configs" is given twice': ["section_key_dup"],
    'unknown key "targets"': ["static_config"],
    'unknown key "consult_sd_configs"; did you mean "consul_sd_configs" (not supp': ["unknown_attr"],
    'global: unknown key "nonexistent_field"': ["unknown_global_attr"],
    '"http://bad" is not a valid hostname': ["url_in_targetgroup"],
    "floats: expected one of xor, xor2": ["tsdb_chunk_encoding_floats_wrong_case_xor2"],
    "percentage' must be in the range [0, 100]": [
        "tsdb_retention_percentage", "tsdb_retention_percentage_negative",
    ],
    "retention.size: not a valid size": ["tsdb_retention_size"],
    "retention.time: not a valid duration": ["tsdb_retention_time"],
}  # fmt: skip
"""Why the bad ones are refused: part of what is said."""

REASON_OF = {f"{name}.bad.yml": reason for reason, names in REASONS.items() for name in names} | NOT_SUPPORTED

pytestmark = pytest.mark.skipif(not FILES, reason=f"no configuration files under {ROOT}")


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT / "config"))


def cases(*, refused: bool) -> list[Path]:
    names = {name_of(file): file for file in FILES if name_of(file) not in INCOMPLETE}
    return [file for name, file in names.items() if (".bad." in name or name in NOT_SUPPORTED) is refused]


@pytest.mark.parametrize("file", cases(refused=False), ids=name_of)
def test_good_file_is_loaded_and_can_be_shown(file: Path) -> None:
    assert render_config(load_config(str(file)))


@pytest.mark.parametrize("file", cases(refused=True), ids=name_of)
def test_bad_file_is_refused_with_its_line_and_for_its_reason(file: Path) -> None:
    with pytest.raises(ConfigFileError, match=rf"{file.name}:\d+: ") as refused:
        load_config(str(file))
    assert REASON_OF[name_of(file)] in str(refused.value)
