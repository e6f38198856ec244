"""Work in threads."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from query.execution.parallel import THREADS_PAY_FROM, in_threads


def test_answers_come_in_order() -> None:
    assert list(in_threads(lambda n: n * n, range(100), samples=THREADS_PAY_FROM)) == [
        n * n for n in range(100)
    ]


def test_little_work_stays_in_its_thread() -> None:
    threads = set(in_threads(lambda _: threading.get_ident(), range(10), samples=THREADS_PAY_FROM - 1))
    assert threads == {threading.get_ident()}


def test_work_is_begun_only_a_little_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    assert next(in_threads(lambda n: n, items(), samples=THREADS_PAY_FROM)) == 0
    assert len(taken) < 20


def test_error_is_raised_where_its_answer_is_taken() -> None:
    answers = in_threads(lambda n: 1 // n, [1, 0], samples=THREADS_PAY_FROM)
    assert next(answers) == 1
    with pytest.raises(ZeroDivisionError):
        next(answers)


def test_numpy_is_as_quiet_as_in_the_query() -> None:
    (answer,) = in_threads(lambda zero: 1 / zero, [np.zeros(1)], samples=THREADS_PAY_FROM)
    assert answer.tolist() == [np.inf]
