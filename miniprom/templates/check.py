"""What a template must keep to beyond its grammar. Source: Go's text/template/parse/parse.go."""

from collections.abc import Collection, Iterable
from typing import Final, NoReturn

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
    Function,
    If,
    Invoke,
    Leave,
    Nil,
    Operand,
    Pipeline,
    Place,
    Range,
    Text,
    Variable,
    With,
)
from query.language.literals import quote

MAX_DEPTH: Final = 50
"""Blocks within blocks."""


class Checker:
    """Checks a whole template, and collects what it defines. Raises `SyntaxFaultError`."""

    def __init__(self, functions: Collection[str]) -> None:
        self.definitions: dict[str, Body] = {}
        self._functions = functions
        self._scope: list[str] = []
        self._loops = 0
        self._depth = 0

    def template(self, body: Body, variables: Iterable[str]) -> None:
        """Check a body that is executed with variables of its own; `$` is always there."""
        outer = self._scope, self._loops
        self._scope, self._loops = ["$", *variables], 0
        self._body(body)
        self._scope, self._loops = outer

    def _body(self, body: Body) -> None:
        self._depth += 1
        for node in body:
            match node:
                case Text():
                    pass
                case Action(_, pipeline):
                    self._pipeline(pipeline)
                case If(pipeline) | With(pipeline) | Range(pipeline):
                    self._block(node)
                case Leave(place, keyword):
                    if not self._loops:
                        _fail(place, f"{{{{{keyword}}}}} outside {{{{range}}}}")
                case Invoke(_, _, pipeline):
                    if pipeline:
                        self._pipeline(pipeline)
                case Define(place, name, inner):
                    self._define(place, name, inner)
                case Block(invoke, inner):
                    assert invoke.pipeline is not None
                    self._pipeline(invoke.pipeline)
                    self._define(invoke.place, invoke.name, inner)
        self._depth -= 1

    def _block(self, node: If | With | Range) -> None:
        place = node.pipeline.place
        if self._depth > MAX_DEPTH:
            _fail(place, f"blocks are nested more than {MAX_DEPTH} deep")
        known = len(self._scope)
        self._pipeline(node.pipeline, most_variables=2 if isinstance(node, Range) else 1)
        is_loop = isinstance(node, Range)
        self._loops += is_loop
        self._body(node.body)
        self._loops -= is_loop
        if is_loop:
            del self._scope[known:]
        self._body(node.otherwise)
        del self._scope[known:]

    def _define(self, place: Place, name: str, body: Body) -> None:
        if name in self.definitions:
            _fail(place, f"multiple definition of template {quote(name)}")
        self.definitions[name] = body
        self.template(body, ())

    def _pipeline(self, pipeline: Pipeline, most_variables: int = 1) -> None:
        if len(pipeline.variables) > most_variables:
            _fail(pipeline.place, "too many declarations in command")
        for stage, command in enumerate(pipeline.commands, 1):
            self._command(command, stage)
        for name in pipeline.variables:
            if pipeline.is_assignment:
                self._variable(pipeline.place, name)
            else:
                self._scope.append(name)

    def _command(self, command: Command, stage: int) -> None:
        first = command.operands[0]
        if stage > 1 and isinstance(first, Constant | Dot | Nil):
            _fail(first.place, f"non executable command in pipeline stage {stage}")
        for operand in command.operands:
            self._operand(operand)

    def _operand(self, operand: Operand) -> None:
        match operand:
            case Variable(place, name):
                self._variable(place, name)
            case Function(place, name):
                if name not in self._functions:
                    _fail(place, f"function {quote(name)} not defined")
            case Chain(_, inner):
                self._operand(inner)
            case Pipeline():
                self._pipeline(operand)
            case _:
                pass

    def _variable(self, place: Place, name: str) -> None:
        if name not in self._scope:
            _fail(place, f"undefined variable {quote(name)}")


def _fail(place: Place, message: str) -> NoReturn:
    raise SyntaxFaultError(message, place.start)
