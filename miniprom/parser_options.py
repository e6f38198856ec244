"""Which parts of PromQL the feature flags let in."""

from collections.abc import Collection

from query import ParserOptions


def parser_options(features: Collection[str]) -> ParserOptions:
    """The options behind the names that `--enable-feature` takes."""
    return ParserOptions(
        duration_expressions=True,
        experimental_functions="promql-experimental-functions" in features,
        extended_range_selectors="promql-extended-range-selectors" in features,
        binop_fill_modifiers="promql-binop-fill-modifiers" in features,
    )
