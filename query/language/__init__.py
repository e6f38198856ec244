"""The language of queries: text to a frozen, checked tree, and back."""

from query.language.check import ParserOptions, value_type
from query.language.functions import AGGREGATORS, FUNCTIONS, Aggregator, Function, ValueType
from query.language.parser import EVERYTHING, parse, parse_selector
from query.language.printer import format_expr, prettify
from query.language.to_json import to_json
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
    "format_expr",
    "parse",
    "parse_selector",
    "prettify",
    "to_json",
    "value_type",
    "walk",
]
