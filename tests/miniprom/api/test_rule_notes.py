"""/api/v1/rules with `notes=true`: what the server's own data says against its rules."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.miniprom.api.harness import Api, serving

RULES = """
groups:
  - name: one
    rules:
      - {alert: Typo, expr: upp == 0, for: 1m}
      - {alert: Flapping, expr: up == 0}
      - {record: "a:up:sum", expr: sum by (jab) (up)}
      - {record: "a:up:more", expr: "a:up:sum + rate(up[3h])"}
"""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    (tmp_path / "rules.yml").write_text(RULES)
    with serving(f"rule_files: ['{tmp_path}/rules.yml']") as served:
        # Down in every second minute: of six times, five have ended.
        minutes = [(60 * (10 - minute), float(minute % 2)) for minute in range(11)]
        served.add({"__name__": "up", "job": "a"}, minutes)
        served.start_rules()
        yield served


def rules(api: Api, **params: str) -> list[dict[str, Any]]:
    answer = api.get("/api/v1/rules", params)
    assert answer.status == 200, answer.text
    found: list[dict[str, Any]] = answer.data["groups"][0]["rules"]
    return found


def test_notes_are_given_with_each_rule(api: Api) -> None:
    notes = {rule["name"]: [note["check"] for note in rule["notes"]] for rule in rules(api, notes="true")}
    assert notes == {
        "Typo": ["unknown-metric"],
        "Flapping": ["flapping-without-for"],
        "a:up:sum": ["unknown-grouping"],
        "a:up:more": ["range"],
    }


def test_rules_have_no_notes_unless_they_are_asked_for(api: Api) -> None:
    assert all("notes" not in rule for rule in rules(api))


def test_notes_must_be_true_or_false(api: Api) -> None:
    assert api.get("/api/v1/rules", {"notes": "perhaps"}).status == 400
