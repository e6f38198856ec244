"""What goes wrong with delivering."""

from miniprom.errors import MinipromError


class DeliveryError(MinipromError):
    """A message that was not taken. `is_temporary` if the same message may be taken later."""

    def __init__(self, message: str, *, is_temporary: bool) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary
