"""What functions and methods take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from miniprom.templates.times import Duration, Time
from miniprom.templates.values import Sample

# The types of parameters by their names in Go; "any" takes all.
PARAMETER_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "any": object,
    "string": str,
    "template.queryResult": tuple,
    "*template.sample": (Sample, type(None)),
    "time.Time": Time,
    "time.Duration": Duration,
}


@dataclass(frozen=True)
class Signature:
    """A function, its parameters' types, and the type of any number of further ones."""

    call: Callable[..., Any]
    parameters: tuple[str, ...] = ()
    rest: str | None = None
    wants_expansion: bool = False

    def parameter(self, position: int) -> str:
        """The type that stands at a position."""
        return self.parameters[position] if position < len(self.parameters) else self.rest or "any"

    def complaint(self, name: str, count: int) -> str:
        """What is wrong with a number of arguments, "" if nothing is."""
        wanted = len(self.parameters)
        if self.rest is not None:
            at_least = f"wrong number of args for {name}: want at least {wanted} got {count}"
            return at_least if count < wanted else ""
        return "" if count == wanted else f"wrong number of args for {name}: want {wanted} got {count}"
