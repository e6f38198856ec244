"""Rules: what is recorded and what alerts, at fixed intervals."""

from miniprom.rules.errors import RuleError, RuleFileError
from miniprom.rules.notifier import Alert, NoNotifier, Notifier

__all__ = ["Alert", "NoNotifier", "Notifier", "RuleError", "RuleFileError"]
