"""What one program refuses, the other refuses for the same type of error; through the API of both."""

import pytest

from benchmarks.programs import Running
from tests.differential.answers import Answer, Refusal, Window, differences, from_server
from tests.differential.invalid_queries import UNANSWERABLE, unaskable_queries
from tests.differential.mutations import broken
from tests.differential.samples import END_MS, START_MS

pytestmark = pytest.mark.peer

INSTANT = Window(START_MS + 1_500_500)
RANGE = Window(START_MS + 500, END_MS, 131_000)


@pytest.mark.parametrize("query", unaskable_queries())
def test_query_that_no_samples_could_answer_is_bad_data(
    query: str, prometheus: Running, miniprom: Running
) -> None:
    for window in (INSTANT, RANGE):
        for server in (prometheus, miniprom):
            answer = from_server(server, query, window)
            assert isinstance(answer, Refusal)
            assert answer.error_type == "bad_data"


@pytest.mark.parametrize("query", UNANSWERABLE)
def test_query_that_fails_at_the_samples_fails_in_both(
    query: str, prometheus: Running, miniprom: Running
) -> None:
    for window in (INSTANT, RANGE):
        for server in (prometheus, miniprom):
            answer = from_server(server, query, window)
            assert isinstance(answer, Refusal)
            assert answer.error_type == "execution"


def test_query_with_a_fault_is_refused_by_both_or_neither(
    number: int, prometheus: Running, miniprom: Running
) -> None:
    query = broken(number)
    theirs, ours = (from_server(server, query, INSTANT) for server in (prometheus, miniprom))
    assert differences(ours, theirs) == [], query


def test_most_faults_are_refused(miniprom: Running) -> None:
    answers = [from_server(miniprom, broken(number), INSTANT) for number in range(100)]
    assert sum(isinstance(answer, Answer) for answer in answers) < 20
