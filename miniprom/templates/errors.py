"""What goes wrong with templates."""

from miniprom.errors import MinipromError


class TemplateError(MinipromError):
    """A template that can't be parsed or expanded.

    `line` counts from 1, `column` (in UTF-8 bytes) from 0, both as Go counts them. `context` is the part of
    the template that was being executed, empty for a fault of parsing.
    """

    def __init__(self, message: str, line: int, column: int, context: str = "") -> None:
        place = f" at <{context}>" if context else ""
        super().__init__(f"{line}:{column}:{place} {message}")
        self.message = message
        self.line = line
        self.column = column
        self.context = context

    def described(self, name: str, *, preamble: int = 0) -> str:
        """The fault in upstream's words, for the template of a name, with so many characters put in front."""
        if not self.context:
            return f"error parsing template {name}: template: {name}:{self.line}: {self.message}"
        column = self.column + (preamble if self.line == 1 else 0)
        where = f'{name}:{self.line}:{column}: executing "{name}" at <{self.context}>'
        return f"error executing template {name}: template: {where}: {self.message}"


class SyntaxFaultError(Exception):
    """What is wrong at a character position, while parsing."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class FunctionError(Exception):
    """Why a function of a template has no result; whoever called it says where."""


def error_at(text: str, offset: int, message: str, context: str = "") -> TemplateError:
    """The error at a character position of a template's text."""
    before = text[:offset]
    last_line = before[before.rfind("\n") + 1 :]
    column = len(last_line.encode(errors="surrogatepass"))
    return TemplateError(message, before.count("\n") + 1, column, context)
