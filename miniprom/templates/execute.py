"""Running a template. Source: Go's text/template/exec.go."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from miniprom.templates.budget import MAX_CHARACTERS, MAX_NESTING, Budget
from miniprom.templates.choices import Choice
from miniprom.templates.errors import FunctionError, error_at
from miniprom.templates.expansion import Answer, Expansion
from miniprom.templates.formatting import show
from miniprom.templates.functions import FUNCTIONS, METHODS
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
    Operand,
    Pipeline,
    Place,
    Range,
    Text,
    Variable,
    With,
)
from miniprom.templates.signature import PARAMETER_TYPES, Signature
from miniprom.templates.template import ALERT_VARIABLES, Template
from miniprom.templates.values import (
    MISSING,
    StringMap,
    TemplateData,
    field_of,
    is_true,
    type_name,
)
from query.language.literals import quote

_NO_VALUE: Final = "<no value>"
Scope = list[tuple[str, Any]]


def expand(
    template: Template,
    data: TemplateData,
    query: Callable[[str], Answer],
    made: set[Choice] | None = None,
) -> str:
    """The text of a template for one alert. Raises `TemplateError`. The choices on the way go into `made`."""
    executor = _Executor(template, Expansion(data, query), made)
    scope: Scope = [("$", data)]
    scope += ((name, field_of(data, field)) for name, field in ALERT_VARIABLES.items())
    executor.run(template.body, data, scope)
    return executor.output()


class _Leave(Exception):  # noqa: N818  it is no error, but how `{{break}}` and `{{continue}}` leave a body
    """Leaves the innermost loop, or one turn of it."""

    def __init__(self, keyword: str) -> None:
        super().__init__(keyword)
        self.is_break = keyword == "break"


@dataclass(frozen=True, slots=True)
class _Given:
    """What a call gets: operands, the dot they are evaluated with, and the value of the pipeline so far.

    `place` is what the message points at if the call fails.
    """

    place: Place
    dot: Any
    operands: Sequence[Operand] = ()
    piped: Any = MISSING

    @property
    def count(self) -> int:
        return len(self.operands) + (self.piped is not MISSING)


class _Executor:
    """Runs one template once. `_place` is what messages point at: what was looked at last, as in Go."""

    def __init__(self, template: Template, expansion: Expansion, made: set[Choice] | None) -> None:
        self._template = template
        self._expansion = expansion
        self._made = made
        self._budget = Budget()
        self._parts: list[str] = []
        self._length = 0
        self._place = Place(0, 0, 0)
        self._nesting = 0
        self._scope: Scope = []

    def run(self, body: Body, dot: Any, scope: Scope) -> None:
        """Run a template with variables of its own."""
        outer, self._scope = self._scope, scope
        self._body(body, dot)
        self._scope = outer

    def output(self) -> str:
        return "".join(self._parts)

    def _body(self, body: Body, dot: Any) -> None:
        self._nest()
        for node in body:
            match node:
                case Text(text):
                    self._write(text)
                case Action(place, pipeline):
                    self._action(place, pipeline, dot)
                case If() | With():
                    self._condition(node, dot)
                case Range():
                    self._range(node, dot)
                case Leave(_, keyword):
                    raise _Leave(keyword)
                case Invoke() | Block():
                    self._invoke(node.invoke if isinstance(node, Block) else node, dot)
                case Define():
                    pass
        self._nesting -= 1

    def _nest(self) -> None:
        """Count a body or pipeline within another. An error ends everything, so that it may stay counted."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            self._fail(f"nested more than {MAX_NESTING} deep")

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            self._fail(f"the output is longer than {MAX_CHARACTERS} characters")

    def _action(self, place: Place, pipeline: Pipeline, dot: Any) -> None:
        value = self._pipeline(pipeline, dot)
        if not pipeline.variables:
            self._place = place
            self._write(_NO_VALUE if value is None else show(value))

    def _condition(self, node: If | With, dot: Any) -> None:
        known = len(self._scope)
        value = self._pipeline(node.pipeline, dot)
        if self._chosen(node, is_true(value)):
            self._body(node.body, value if isinstance(node, With) else dot)
        else:
            self._body(node.otherwise, dot)
        del self._scope[known:]

    def _range(self, node: Range, dot: Any) -> None:
        known = len(self._scope)
        value = self._pipeline(node.pipeline, dot, declares=False)
        turns = 0
        for index, element in self._elements(value):
            turns += 1
            goes_on = self._turn(node, index, element)
            del self._scope[known:]
            if not goes_on:
                break
        if not self._chosen(node, turns > 0):
            self._body(node.otherwise, dot)

    def _chosen(self, node: If | With | Range, is_taken: bool) -> bool:
        if self._made is not None:
            self._made.add(Choice.of(node, is_taken))
        return is_taken

    def _turn(self, node: Range, index: Any, element: Any) -> bool:
        """One turn of a loop; whether the loop goes on."""
        pipeline = node.pipeline
        given = (index, element) if len(pipeline.variables) == 2 else (element,)
        for name, value in zip(pipeline.variables, given, strict=False):
            self._give(pipeline, name, value)
        self._spend()
        nesting = self._nesting
        try:
            self._body(node.body, element)
        except _Leave as leave:
            self._nesting = nesting
            return not leave.is_break
        return True

    def _elements(self, value: Any) -> Iterable[tuple[Any, Any]]:
        if isinstance(value, dict):
            return sorted(value.items())
        if isinstance(value, tuple):
            return enumerate(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return ((number, number) for number in range(value))
        if value is not None:
            self._fail(f"range can't iterate over {show(value)}")
        return ()

    def _invoke(self, node: Invoke, dot: Any) -> None:
        self._place = node.place
        body = self._template.definitions.get(node.name)
        if body is None:
            self._fail(f"template {quote(node.name)} not defined")
        inner = self._pipeline(node.pipeline, dot) if node.pipeline else None
        self._spend()
        self.run(body, inner, [("$", inner)])

    def _pipeline(self, pipeline: Pipeline, dot: Any, *, declares: bool = True) -> Any:
        self._place = pipeline.place
        self._nest()
        value: Any = MISSING
        for command in pipeline.commands:
            value = self._command(command, dot, value)
        self._nesting -= 1
        if declares:
            for name in pipeline.variables:
                self._give(pipeline, name, value)
        return value

    def _give(self, pipeline: Pipeline, name: str, value: Any) -> None:
        if pipeline.is_assignment:
            self._scope[self._position(name)] = (name, value)
        else:
            self._scope.append((name, value))

    def _position(self, name: str) -> int:
        return next(at for at in reversed(range(len(self._scope))) if self._scope[at][0] == name)

    def _command(self, command: Command, dot: Any, piped: Any) -> Any:
        self._spend()
        first, *operands = command.operands
        given = _Given(command.place, dot, operands, piped)
        if isinstance(first, Field | Variable | Function | Chain):
            return self._callable(first, given)
        self._place = first.place
        if given.count:
            self._fail(f"can't give argument to non-function {self._source(first.place)}")
        if isinstance(first, Nil):
            self._fail("nil is not a command")
        return self._operand(first, dot)

    def _operand(self, operand: Operand, dot: Any) -> Any:
        """The value of an operand that stands alone."""
        self._place = operand.place
        match operand:
            case Dot():
                return dot
            case Nil():
                return None
            case Constant(_, value):
                return value
            case Pipeline():
                return self._pipeline(operand, dot)
            case _:
                return self._callable(operand, _Given(operand.place, dot))

    def _callable(self, operand: Field | Variable | Function | Chain, given: _Given) -> Any:
        """The value of an operand that may be a function or a method."""
        self._place = operand.place
        match operand:
            case Function(_, name):
                return self._call(FUNCTIONS[name], name, given)
            case Field(_, names):
                receiver = given.dot
            case Variable(_, name, names):
                receiver = self._scope[self._position(name)][1]
                if not names and given.count:
                    self._fail(f"can't give argument to non-function {self._source(operand.place)}")
            case Chain(_, inner, names):
                receiver = self._operand(inner, given.dot)
        for name in names[:-1]:
            receiver = self._field(receiver, name, _Given(given.place, given.dot))
        return self._field(receiver, names[-1], given) if names else receiver

    def _field(self, receiver: Any, name: str, given: _Given) -> Any:
        method = METHODS.get(type(receiver), {}).get(name)
        if method is not None:
            return self._call(method, name, given, receiver)
        if receiver is None:
            return None
        if isinstance(receiver, dict):
            if given.count:
                self._fail(f"{name} is not a method but has arguments")
            return receiver.get(name, "" if isinstance(receiver, StringMap) else None)
        try:
            value = field_of(receiver, name)
        except KeyError:
            self._fail(f"can't evaluate field {name} in type {type_name(receiver)}")
        if given.count:
            self._fail(f"{name} has arguments but cannot be invoked as function")
        return value

    def _call(self, signature: Signature, name: str, given: _Given, *receiver: Any) -> Any:
        """Call a function, or a method of a receiver."""
        if complaint := signature.complaint(name, given.count):
            self._fail(complaint)
        if name in ("and", "or") and not receiver:
            return self._choose(name, given)
        values = [
            self._argument(operand, signature.parameter(position), given.dot)
            for position, operand in enumerate(given.operands)
        ]
        if given.piped is not MISSING:
            values.append(self._checked(given.piped, signature.parameter(len(values))))
        if signature.wants_expansion:
            receiver = (self._expansion,)
        try:
            result = signature.call(*receiver, *values)
            if isinstance(result, str):
                self._budget.spend_text(len(result))
        except FunctionError as error:
            self._place = given.place
            self._fail(f"error calling {name}: {error}")
        return result

    def _choose(self, name: str, given: _Given) -> Any:
        """`and` and `or` evaluate no more than they need."""
        value = None
        for operand in given.operands:
            value = self._operand(operand, given.dot)
            if is_true(value) == (name == "or"):
                return value
        return value if given.piped is MISSING else given.piped

    def _argument(self, operand: Operand, kind: str, dot: Any) -> Any:
        value = self._operand(operand, dot)
        if isinstance(operand, Constant) and not isinstance(value, PARAMETER_TYPES[kind]):
            source = self._source(operand.place)
            if kind == "string":
                self._fail(f"expected string; found {source}")
            self._fail(f"can't handle {source} for arg of type {kind}")
        if isinstance(operand, Nil) and not isinstance(None, PARAMETER_TYPES[kind]):
            self._fail(f"cannot assign nil to {kind}")
        return self._checked(value, kind)

    def _checked(self, value: Any, kind: str) -> Any:
        if not isinstance(value, PARAMETER_TYPES[kind]):
            if value is None:
                self._fail(f"invalid value; expected {kind}")
            self._fail(f"wrong type for value; expected {kind}; got {type_name(value)}")
        return value

    def _spend(self) -> None:
        try:
            self._budget.spend()
        except FunctionError as error:
            self._fail(str(error))

    def _source(self, place: Place) -> str:
        return self._template.text[place.start : place.end]

    def _fail(self, message: str) -> NoReturn:
        text = self._template.text
        raise error_at(text, self._place.mark, message, self._source(self._place))
