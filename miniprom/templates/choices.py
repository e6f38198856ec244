"""Where a template goes one way or the other: for tests that want to see both."""

from collections.abc import Iterator
from typing import NamedTuple

from miniprom.templates.nodes import Body, If, Place, Range, With
from miniprom.templates.template import Template


class Choice(NamedTuple):
    """One way at an `if`, `with` or `range`: into its body, or else into its `else` or past it."""

    keyword: str
    place: Place
    is_taken: bool

    @classmethod
    def of(cls, node: If | With | Range, is_taken: bool) -> "Choice":
        """The choice at a node; its place is that of the node's pipeline."""
        return cls(type(node).__name__.lower(), node.pipeline.place, is_taken)

    def shown(self, text: str) -> str:
        """The action in the text of its template."""
        return f"{{{{ {self.keyword} {text[self.place.start : self.place.end]} }}}}"


def choices_of(template: Template) -> Iterator[Choice]:
    """All that expanding the template could choose."""
    for body in (template.body, *template.definitions.values()):
        yield from _choices(body)


def _choices(body: Body) -> Iterator[Choice]:
    for node in body:
        if isinstance(node, If | With | Range):
            yield Choice.of(node, True)
            yield from _choices(node.body)
            yield Choice.of(node, False)
            yield from _choices(node.otherwise)
