"""A flat chain of operands and operators becomes a tree: precedence and associativity of PromQL."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
SET_OPERATORS: Final = frozenset({"and", "or", "unless"})

PRECEDENCE: Final = {
    "or": 1,
    **dict.fromkeys(("and", "unless"), 2),
    **dict.fromkeys((*COMPARISONS, "</", ">/"), 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys(("*", "/", "%", "atan2"), 5),
    "^": 6,
}
UNARY_PRECEDENCE: Final = PRECEDENCE["*"]

Operand = TypeVar("Operand")


def operation_tree(
    chain: Iterable[Any],
    symbol: Callable[[Any], str],
    unary: Callable[[Any, Operand], Operand],
    binary: Callable[[Any, Operand, Operand], Operand],
) -> Operand:
    """The tree of `sign* operand (operator sign* operand)*`. Signs are strings; `symbol` names an operator.

    Two stacks instead of recursion, so that a long chain is no danger. All but `^` associate to the left.
    """
    operands: list[Operand] = []
    operators: list[tuple[int, bool, Any]] = []

    def apply_down_to(precedence: int) -> None:
        while operators and operators[-1][0] >= precedence:
            _, is_sign, operator = operators.pop()
            rhs = operands.pop()
            operands.append(unary(operator, rhs) if is_sign else binary(operator, operands.pop(), rhs))

    after_operand = False
    for item in chain:
        if after_operand:
            key = symbol(item)
            precedence = PRECEDENCE[key]
            apply_down_to(precedence + 1 if key == "^" else precedence)
            operators.append((precedence, False, item))
            after_operand = False
        elif isinstance(item, str):
            operators.append((UNARY_PRECEDENCE, True, item))
        else:
            operands.append(item)
            after_operand = True
    apply_down_to(0)
    return operands[0]
