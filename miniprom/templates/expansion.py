"""What the functions of a template may ask of the world around it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from miniprom.templates.errors import FunctionError
from miniprom.templates.values import Sample, StringMap, TemplateData
from query import QueryError
from query.execution.result import InstantVector, ResultValue, ScalarPoint


class Answer(Protocol):
    """A query's `Result`, as far as templates look at it."""

    @property
    def value(self) -> ResultValue:
        """What the query found."""
        ...


@dataclass(frozen=True)
class Expansion:
    """What the functions of a template may ask."""

    data: TemplateData
    query: Callable[[str], Answer]

    def samples(self, text: str) -> tuple[Sample, ...]:
        """The result of an instant query. Raises `FunctionError`."""
        try:
            value = self.query(text).value
        except QueryError as error:
            raise FunctionError(str(error)) from None
        if isinstance(value, ScalarPoint):
            return (Sample(StringMap(), value.value),)
        if not isinstance(value, InstantVector):
            raise FunctionError("query result is not a vector or scalar")
        histograms = value.histograms if value.histograms is not None else [None] * len(value.values)
        return tuple(
            Sample(StringMap(labels), number if histogram is None else histogram)
            for labels, number, histogram in zip(
                value.labels.series(), value.values.tolist(), histograms, strict=True
            )
        )
