"""A linter of rules that knows the data: what a rule asks for is compared with what a server has."""

from miniprom.lint.checks import lint
from miniprom.lint.facts import Data, MetricFacts, Note

__all__ = ["Data", "MetricFacts", "Note", "lint"]
