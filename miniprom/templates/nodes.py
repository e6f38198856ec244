"""The parts of a template. The names are those of Go's text/template/parse."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Place:
    """From `start` to `end` in the text. `mark` is where messages point: for `.a.b`, as in Go, at `.b`."""

    start: int
    end: int
    mark: int


@dataclass(frozen=True, slots=True)
class Dot:
    place: Place


@dataclass(frozen=True, slots=True)
class Nil:
    place: Place


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, string, character or truth value."""

    place: Place
    value: bool | int | float | str


@dataclass(frozen=True, slots=True)
class Field:
    """`.a.b`"""

    place: Place
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """`$x.a.b`; the name with its dollar sign."""

    place: Place
    name: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    place: Place
    name: str


@dataclass(frozen=True, slots=True)
class Chain:
    """`(...).a.b`"""

    place: Place
    operand: "Operand"
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """Operands side by side: a function or method and its arguments, or one value."""

    place: Place
    operands: tuple["Operand", ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each of which gets the value of the one before; the value may be given to variables."""

    place: Place
    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    is_assignment: bool = False


Operand: TypeAlias = Dot | Nil | Constant | Field | Variable | Function | Chain | Pipeline


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """`{{pipeline}}`"""

    place: Place
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class If:
    pipeline: Pipeline
    body: "Body"
    otherwise: "Body"


@dataclass(frozen=True, slots=True)
class With:
    pipeline: Pipeline
    body: "Body"
    otherwise: "Body"


@dataclass(frozen=True, slots=True)
class Range:
    pipeline: Pipeline
    body: "Body"
    otherwise: "Body"


@dataclass(frozen=True, slots=True)
class Leave:
    """`{{break}}` or `{{continue}}`"""

    place: Place
    keyword: str


@dataclass(frozen=True, slots=True)
class Invoke:
    """`{{template "name" pipeline}}`"""

    place: Place
    name: str
    pipeline: Pipeline | None


@dataclass(frozen=True, slots=True)
class Define:
    """`{{define "name"}}...{{end}}`"""

    place: Place
    name: str
    body: "Body"


@dataclass(frozen=True, slots=True)
class Block:
    """`{{block "name" pipeline}}...{{end}}`: defined and invoked in one place."""

    invoke: Invoke
    body: "Body"


Node: TypeAlias = Text | Action | If | With | Range | Leave | Invoke | Define | Block
Body: TypeAlias = tuple[Node, ...]
