"""What `miniprom query` says where the server refuses."""

import io
from email.message import Message
from unittest.mock import patch
from urllib.error import HTTPError

import pytest

from miniprom.cli.query import QueryFailedError, ask


def refusal(expr: str) -> str:
    body = io.BytesIO(b'{"status":"error","errorType":"bad_data","error":"what the server says"}')
    error = HTTPError("http://h", 400, "Bad Request", Message(), body)
    with (
        patch("miniprom.cli.query.urlopen", side_effect=error),
        pytest.raises(QueryFailedError) as caught,
    ):
        ask("http://h", {"query": expr}, 1.0)
    return str(caught.value)


def test_place_of_a_fault_and_the_nearest_name_are_shown() -> None:
    assert refusal("sum(rat(up[5m]))").splitlines() == [
        "bad_data: what the server says",
        "  sum(rat(up[5m]))",
        "      ^^^",
        'did you mean "rate"?',
    ]


def test_nothing_is_drawn_of_an_expression_that_parses() -> None:
    assert refusal("up") == "bad_data: what the server says"
