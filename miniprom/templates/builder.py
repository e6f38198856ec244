"""From the grammar's rules to nodes: one method a rule, named like it."""

from typing import Any, Final

from lark import Token, Transformer

from miniprom.templates.errors import SyntaxFaultError
from miniprom.templates.nodes import (
    Action,
    Block,
    Body,
    Chain,
    Command,
    Constant,
    Define,
    Dot,
    Field,
    Function,
    If,
    Invoke,
    Leave,
    Nil,
    Node,
    Operand,
    Pipeline,
    Place,
    Range,
    Text,
    Variable,
    With,
)
from query.language.literals import LiteralError, quote, unquote

_INT64: Final = range(-(2**63), 2**63)
_MARKS_OF_FLOAT: Final = frozenset(".eE")
_PREFIXED: Final = ("0x", "0b", "0o")


class Builder(Transformer[Token, Body]):
    """Runs while Lark parses. Raises `SyntaxFaultError`."""

    def start(self, nodes: list[Any]) -> Body:
        return tuple(nodes)

    def text(self, children: list[Any]) -> Text:
        return Text(str(children[0]))

    def action(self, children: list[Any]) -> Action:
        return Action(_around(children[0], children[-1]), children[1])

    def leave(self, children: list[Any]) -> Leave:
        return Leave(_around(children[0], children[-1]), str(children[1]))

    def define(self, children: list[Any]) -> Define:
        return Define(_around(children[0], children[3]), self._string(children[2]), _body(children))

    def invoke(self, children: list[Any]) -> Invoke:
        pipeline = children[-2] if isinstance(children[-2], Pipeline) else None
        return Invoke(_of(children[2]), self._string(children[2]), pipeline)

    def block(self, children: list[Any]) -> Block:
        pipeline = next(child for child in children if isinstance(child, Pipeline))
        return Block(Invoke(_of(children[2]), self._string(children[2]), pipeline), _body(children))

    def nothing(self, _children: list[Any]) -> Body:
        return ()

    def otherwise(self, children: list[Any]) -> Body:
        return _body(children)

    def else_if(self, children: list[Any]) -> Body:
        return (self.if_(children),)

    def else_with(self, children: list[Any]) -> Body:
        return (self.with_(children),)

    def if_(self, children: list[Any]) -> If:
        return If(_pipeline(children), _body(children), children[-1])

    def with_(self, children: list[Any]) -> With:
        return With(_pipeline(children), _body(children), children[-1])

    def range_(self, children: list[Any]) -> Range:
        return Range(_pipeline(children), _body(children), children[-1])

    def pipeline(self, children: list[Any]) -> Pipeline:
        variables: tuple[str, ...] = ()
        is_assignment = False
        start = _start(children[0])
        if isinstance(children[0], list):
            *names, sign = (child for child in children[0] if child.type != "COMMA")
            variables, is_assignment = tuple(map(str, names)), sign.type == "ASSIGN"
        commands = tuple(child for child in children if isinstance(child, Command))
        return Pipeline(Place(start, commands[-1].place.end, start), commands, variables, is_assignment)

    def declaration(self, children: list[Any]) -> list[Any]:
        return children

    def command(self, children: list[Any]) -> Command:
        operands: tuple[Operand, ...] = tuple(child for child in children if not isinstance(child, Token))
        start, end = operands[0].place.start, operands[-1].place.end
        return Command(Place(start, end, start), operands)

    def dot(self, children: list[Any]) -> Dot:
        return Dot(_of(children[0]))

    def nil(self, children: list[Any]) -> Nil:
        return Nil(_of(children[0]))

    def constant(self, children: list[Any]) -> Constant:
        (token,) = children
        value: bool | int | float | str
        if token.type == "BOOL":
            value = token == "true"
        elif token.type == "NUMBER":
            value = self._number(token)
        elif token.type == "STRING":
            value = self._string(token)
        else:
            value = self._character(token)
        return Constant(_of(token), value)

    def field(self, children: list[Any]) -> Field:
        first, *others = children
        return Field(_chained(first, others), _names(children))

    def variable(self, children: list[Any]) -> Variable:
        name, *fields = children
        return Variable(_chained(name, fields), str(name), _names(fields))

    def function(self, children: list[Any]) -> Function:
        return Function(_of(children[0]), str(children[0]))

    def chain(self, children: list[Any]) -> Chain:
        operand, *fields = children
        start = operand.place.start - isinstance(operand, Pipeline)
        mark = _start(fields[0])
        return Chain(Place(start, int(fields[-1].end_pos), mark), operand, _names(fields))

    def paren(self, children: list[Any]) -> Pipeline:
        pipeline = children[1]
        assert isinstance(pipeline, Pipeline)
        return pipeline

    def _string(self, token: Token) -> str:
        try:
            return unquote(token)
        except LiteralError:
            raise SyntaxFaultError("invalid syntax", _start(token)) from None

    def _character(self, token: Token) -> int:
        char = self._string(token)
        if len(char) != 1:
            raise SyntaxFaultError(f"malformed character constant: {token}", _start(token))
        return ord(char)

    def _number(self, token: Token) -> int | float:
        text = token.lower()
        try:
            if text.lstrip("+-").startswith(_PREFIXED):
                value = int(text, 0)
            elif _MARKS_OF_FLOAT & set(text):
                return _finite(float(text))
            else:
                digits = text.lstrip("+-").replace("_", "")
                is_octal = digits.startswith("0") and len(digits) > 1
                value = int(text, 8 if is_octal else 10)
        except ValueError:
            raise SyntaxFaultError(f"bad number syntax: {quote(token)}", _start(token)) from None
        if value not in _INT64:
            raise SyntaxFaultError(f"integer overflow: {quote(token)}", _start(token))
        return value


def _finite(value: float) -> float:
    if abs(value) == float("inf"):
        raise ValueError("out of range")
    return value


def _pipeline(children: list[Any]) -> Pipeline:
    return next(child for child in children if isinstance(child, Pipeline))


def _body(children: list[Any]) -> Body:
    return tuple(child for child in children if isinstance(child, Node))


def _names(fields: list[Token]) -> tuple[str, ...]:
    return tuple(field[1:] for field in fields)


def _start(child: Any) -> int:
    if isinstance(child, list):
        return _start(child[0])
    return int(child.start_pos or 0) if isinstance(child, Token) else child.place.start


def _of(token: Token) -> Place:
    return _around(token, token)


def _around(first: Token, last: Token) -> Place:
    start = _start(first)
    return Place(start, int(last.end_pos or 0), start)


def _chained(first: Token, fields: list[Token]) -> Place:
    """Names in a row. Go's messages point to the first of those that it chains to the one in front."""
    start = _start(first)
    last = fields[-1] if fields else first
    return Place(start, int(last.end_pos or 0), _start(fields[0]) if fields else start)
