"""Every query of the conformance scripts parses, printed and prettified, too."""

import re
from pathlib import Path

from query.language import EVERYTHING, format_expr, parse, prettify

_EVAL = re.compile(
    r"^\s*eval(?:_\w+)? (?:instant(?: at \S+)?|range from \S+ to \S+ step \S+) (?P<query>.+)$", re.MULTILINE
)


def queries(folder: Path) -> list[str]:
    scripts = sorted((folder / "promqltest").glob("*.test"))
    return [
        match["query"] for script in scripts for match in _EVAL.finditer(script.read_text(encoding="utf-8"))
    ]


def test_every_query_parses_and_survives_printing(conformance: Path) -> None:
    found = queries(conformance)
    assert len(found) > 1400
    for query in found:
        printed = format_expr(parse(query, EVERYTHING))
        assert format_expr(parse(printed, EVERYTHING)) == printed
        assert format_expr(parse(prettify(parse(query, EVERYTHING)), EVERYTHING)) == printed
