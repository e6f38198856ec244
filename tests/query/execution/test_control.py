import pytest

from query import Control, QueryCanceledError, QueryTimeoutError


def test_a_query_that_timed_out_in_the_queue_says_so() -> None:
    control = Control()
    control.expire()
    with pytest.raises(QueryTimeoutError, match=r"^query timed out in query queue$"):
        control.check("query queue")


def test_the_first_reason_to_stop_is_told() -> None:
    control = Control()
    control.cancel()
    control.expire()
    with pytest.raises(QueryCanceledError, match=r"^query was canceled in expression evaluation$"):
        control.check()
