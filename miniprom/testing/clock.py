"""The clock of a fake: it stands still until a test turns it."""

from miniprom.testing.control import Control
from miniprom.testing.times import Duration, Time, duration_on_wire, time_on_wire

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here


class Clock:
    """What the server takes for now."""

    def __init__(self, control: Control) -> None:
        self.control = control

    def now(self) -> float:
        """Unix seconds."""
        return float(self.control.ask("GET", "clock")["now"])

    def set(self, time: Time, *, force: bool = False) -> float:
        """Turn the clock to a time and answer with it; back only in an empty server, or by `force`."""
        body = {"set": time_on_wire(time), **({"force": True} if force else {})}
        return float(self.control.ask("POST", "clock", body)["now"])

    def advance(self, duration: Duration) -> float:
        """Let time pass; scrapes, rules, `for` and staleness happen as they fall due, before it returns."""
        return float(self.control.ask("POST", "clock", {"advance": duration_on_wire(duration)})["now"])
