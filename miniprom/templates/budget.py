"""What expanding a template may take. Upstream has no limits: there, a template can stop the server."""

from typing import Final

from miniprom.templates.errors import FunctionError

MAX_COMMANDS: Final = 100_000
MAX_CHARACTERS: Final = 1 << 20
"""Of one text: the output, or what a function makes."""
MAX_NESTING: Final = 100
"""Of bodies and pipelines within each other, those of templates that templates invoke included."""
_CHARACTERS_PER_COMMAND: Final = 100


class Budget:
    """Counts commands; long texts count for many. Raises `FunctionError`."""

    def __init__(self) -> None:
        self._commands = 0

    def spend(self, commands: int = 1) -> None:
        self._commands += commands
        if self._commands > MAX_COMMANDS:
            raise FunctionError(f"the template takes more than {MAX_COMMANDS} steps")

    def spend_text(self, characters: int) -> None:
        check_length(characters)
        self.spend(characters // _CHARACTERS_PER_COMMAND)


def check_length(characters: int) -> None:
    """Raises `FunctionError` for a text that is too long."""
    if characters > MAX_CHARACTERS:
        raise FunctionError(f"the text is longer than {MAX_CHARACTERS} characters")
