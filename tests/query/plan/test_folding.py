import math

import pytest

from query.language import EVERYTHING, parse
from query.plan import PlanNode, QueryWindow, build_plan
from query.plan.nodes import BinaryOperation, Number


def plan(text: str) -> PlanNode:
    return build_plan(
        parse(text, EVERYTHING), QueryWindow(0, 60_000, 15_000), default_subquery_step_ms=60_000
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 * (3 + 4)", 14.0),
        ("-(2 ^ 3)", -8.0),
        ("-7 % 4", -3.0),
        ("1 / 0", math.inf),
        ("2 > bool 1", 1.0),
        ("end() - start()", 60.0),
    ],
)
def test_constant_is_computed_once(text: str, expected: float) -> None:
    assert plan(text) == Number(expected)


def test_undefined_constant_is_nan() -> None:
    node = plan("0 / 0")
    assert isinstance(node, Number)
    assert math.isnan(node.value)


def test_constant_operand_is_folded() -> None:
    node = plan("x > 60 * 5")
    assert isinstance(node, BinaryOperation)
    assert node.rhs == Number(300.0)
