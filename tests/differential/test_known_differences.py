"""The list of differences says what is true: each is one, and what is not in it is tested."""

import re

import pytest

from benchmarks.programs import Running
from query.language import AGGREGATORS, FUNCTIONS
from tests.differential.answers import Answer, Refusal, Window, from_engine, from_server
from tests.differential.answers import differences as differences_between
from tests.differential.fixed_queries import fixed_queries
from tests.differential.known_differences import (
    NATIVE_HISTOGRAM_FUNCTIONS,
    NEW_FUNCTIONS,
    Difference,
    differences,
)
from tests.differential.samples import START_MS

pytestmark = pytest.mark.peer


@pytest.mark.parametrize("known", differences(), ids=lambda known: known.query)
def test_known_difference_is_one(known: Difference, prometheus: Running) -> None:
    theirs, ours = from_server(prometheus, known.query, known.window), from_engine(known.query, known.window)
    assert differences_between(ours, theirs) != []


@pytest.mark.parametrize("name", sorted(NEW_FUNCTIONS))
def test_new_function_is_new(name: str, prometheus: Running) -> None:
    answer = from_server(prometheus, f"{name}(up)", Window(START_MS))
    assert isinstance(answer, Refusal)


def test_every_other_function_and_aggregation_stands_in_a_fixed_query() -> None:
    words = set(re.findall(r"\w+", " ".join(fixed_queries())))
    assert {*FUNCTIONS, *AGGREGATORS} - NEW_FUNCTIONS - NATIVE_HISTOGRAM_FUNCTIONS - words == set()


def test_function_of_native_histograms_ignores_floats(prometheus: Running) -> None:
    for query in ("histogram_count(up)", "histogram_sum(up)", "histogram_fraction(0, 1, queue_depth)"):
        answer = from_server(prometheus, query, Window(START_MS + 1_500_500))
        assert answer == from_engine(query, Window(START_MS + 1_500_500)) == Answer({})
