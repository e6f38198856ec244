"""The language of queries: text to a frozen, checked tree, and back."""

from query.language.check import ParserOptions, value_type
from query.language.functions import AGGREGATORS, FUNCTIONS, Aggregator, Function, ValueType
from query.language.parser import EVERYTHING, parse
from query.language.walk import children, walk

__all__ = [
    "AGGREGATORS",
    "EVERYTHING",
    "FUNCTIONS",
    "Aggregator",
    "Function",
    "ParserOptions",
    "ValueType",
    "children",
    "parse",
    "value_type",
    "walk",
]
