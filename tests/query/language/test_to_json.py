from typing import Any

import pytest

from query.language import EVERYTHING, parse, to_json


def json(text: str) -> dict[str, Any]:
    return to_json(parse(text, EVERYTHING))


def selector(kind: str = "vectorSelector", **fields: Any) -> dict[str, Any]:
    """The JSON of `a` with some fields changed."""
    return {
        "type": kind,
        "name": "a",
        "matchers": [{"name": "__name__", "type": "=", "value": "a"}],
        "offset": 0,
        "offsetExpr": None,
        "timestamp": None,
        "startOrEnd": None,
        "anchored": False,
        "smoothed": False,
        **fields,
    }


DURATION_EXPR = {
    "type": "durationExpr",
    "op": "*",
    "lhs": {"type": "numberLiteral", "val": "60", "duration": True},
    "rhs": {"type": "durationExpr", "op": "step", "lhs": None, "rhs": None, "wrapped": False},
    "wrapped": True,
}
WRAPPED_NUMBER = {
    "type": "durationExpr",
    "op": "+",
    "lhs": None,
    "rhs": {"type": "numberLiteral", "val": "60", "duration": True},
    "wrapped": True,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3", {"type": "numberLiteral", "val": "1000"}),
        ("-Inf", {"type": "numberLiteral", "val": "-Inf"}),
        ("'a'", {"type": "stringLiteral", "val": "a"}),
        ("(1)", {"type": "parenExpr", "expr": {"type": "numberLiteral", "val": "1"}}),
        ("-a", {"type": "unaryExpr", "op": "-", "expr": selector()}),
        ("a offset -1m @ 1.5", selector(offset=-60_000, timestamp=1500)),
        ("a smoothed @ end()", selector(smoothed=True, startOrEnd="end")),
        ("a[1m]", selector("matrixSelector", range=60_000, rangeExpr=None)),
        ("a[(1m*step())]", selector("matrixSelector", range=0, rangeExpr=DURATION_EXPR)),
        ("a offset (1m)", selector(offsetExpr=WRAPPED_NUMBER)),
        (
            "a[1h:1m]",
            {
                "type": "subquery",
                "expr": selector(),
                "range": 3_600_000,
                "rangeExpr": None,
                "step": 60_000,
                "stepExpr": None,
                "offset": 0,
                "offsetExpr": None,
                "timestamp": None,
                "startOrEnd": None,
            },
        ),
        (
            "round(a)",
            {
                "type": "call",
                "func": {
                    "name": "round",
                    "argTypes": ["vector", "scalar"],
                    "variadic": 1,
                    "returnType": "vector",
                },
                "args": [selector()],
            },
        ),
        (
            "topk by (x) (1, a)",
            {
                "type": "aggregation",
                "op": "topk",
                "expr": selector(),
                "param": {"type": "numberLiteral", "val": "1"},
                "grouping": ["x"],
                "without": False,
            },
        ),
    ],
)
def test_node_has_upstreams_json(text: str, expected: dict[str, Any]) -> None:
    assert json(text) == expected


def test_operation_between_vectors_has_its_matching() -> None:
    assert json("a == bool on(x) group_left(y) fill_left(1) a") == {
        "type": "binaryExpr",
        "op": "==",
        "lhs": selector(),
        "rhs": selector(),
        "bool": True,
        "matching": {
            "card": "many-to-one",
            "labels": ["x"],
            "on": True,
            "include": ["y"],
            "fillValues": {"lhs": 1.0, "rhs": None},
        },
    }


def test_operation_with_a_scalar_has_no_matching() -> None:
    assert json("a + 1")["matching"] is None
