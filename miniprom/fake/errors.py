"""What is wrong with what a test asks of the fake."""

from miniprom.errors import MinipromError


class FakeError(MinipromError):
    """A request to `/-/fake/` that can't be met: says what, where, and what was expected."""
