"""The same samples and queries in our engine and in a real Prometheus 2.42 give the same answers."""

from random import Random

import pytest

from benchmarks.programs import Running
from tests.differential.answers import Answer, Window, differences, from_engine, from_server
from tests.differential.fixed_queries import EMPTY_QUERIES, fixed_queries
from tests.differential.grammar import generate
from tests.differential.known_differences import RENAMED
from tests.differential.samples import END_MS, START_MS

WINDOWS = (
    Window(START_MS + 1_500_500),
    Window(START_MS + 2_400_500),
    # From before the first sample till after the last one; and each scrape of ten minutes.
    Window(START_MS - 299_500, END_MS + 420_000, 131_000),
    Window(START_MS + 1_100_500, START_MS + 1_700_000, 15_000),
)


@pytest.mark.peer
@pytest.mark.parametrize("query", fixed_queries())
def test_fixed_query_is_answered_as_prometheus_does(query: str, prometheus: Running) -> None:
    answered = False
    for window in WINDOWS:
        ours = from_engine(query, window)
        theirs = from_server(prometheus, in_their_words(query), window)
        assert differences(ours, theirs) == []
        answered |= isinstance(theirs, Answer) and not theirs.is_empty
    assert answered


@pytest.mark.peer
@pytest.mark.parametrize("query", EMPTY_QUERIES)
def test_query_without_an_answer_has_none_in_either(query: str, prometheus: Running) -> None:
    for window in WINDOWS:
        assert from_engine(query, window) == from_server(prometheus, query, window) == Answer({})


@pytest.mark.peer
def test_generated_query_is_answered_as_prometheus_does(number: int, prometheus: Running) -> None:
    query = generate(number)
    for window in windows_of(number):
        theirs = from_server(prometheus, query, window)
        assert differences(from_engine(query, window), theirs) == [], query


def test_most_generated_queries_have_an_answer() -> None:
    answers = [
        from_engine(generate(number), window) for number in range(100) for window in windows_of(number)
    ]
    answered = sum(isinstance(answer, Answer) and not answer.is_empty for answer in answers)
    assert answered > 0.8 * len(answers)


def in_their_words(query: str) -> str:
    for new, old in RENAMED.items():
        query = query.replace(new, old)
    return query


def windows_of(number: int) -> tuple[Window, Window]:
    """A moment and a range for the query of a number; both begin on a half second."""
    random = Random(-number)
    step_ms = random.choice((15_000, 60_000, 97_000, 180_000))
    start_ms = START_MS + random.randrange(-200, 2_500) * 1_000 + 500
    return (
        Window(START_MS + random.randrange(600, 2_900) * 1_000 + 500),
        Window(start_ms, start_ms + random.randrange(5, 40) * step_ms, step_ms),
    )
