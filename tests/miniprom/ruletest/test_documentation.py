"""The examples in docs/rules.md work."""

import re
from pathlib import Path

import pytest

from miniprom.cli import check_rules
from miniprom.cli.main import main
from miniprom.config import parse_config

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"


def test_documented_rules_pass_their_documented_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, rules, test = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert parse_config(config, "prometheus.yml", {}).rule_files == ("rules/*.yml",)
    (tmp_path / "flux.yml").write_text(rules)
    (tmp_path / "flux_test.yml").write_text(test)
    assert check_rules.run([str(tmp_path / "flux.yml")]) == 0
    assert "SUCCESS: 2 rules found" in capsys.readouterr().out
    assert main(["test", "rules", str(tmp_path / "flux_test.yml")]) == 0, capsys.readouterr().out
