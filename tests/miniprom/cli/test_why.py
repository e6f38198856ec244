"""`miniprom why` of a miniprom; of other servers see tests/miniprom/recording."""

import json
from io import BytesIO
from unittest.mock import patch

import pytest

from miniprom.cli import main

FINDING = {"kind": "unknown_metric", "expr": "upp", "position": "1:5", "text": "no series of upp is stored"}


def test_server_that_can_tell_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"status": "success", "data": {"empty": True, "findings": [FINDING]}}
    with patch("miniprom.cli.query.urlopen", return_value=BytesIO(json.dumps(answer).encode())) as opened:
        assert main(["why", "host:9090", "sum(upp)", "--time", "7"]) == 1
    (request,) = opened.call_args.args
    assert (request.full_url, request.data) == ("http://host:9090/api/v1/why", b"query=sum%28upp%29&time=7")
    assert capsys.readouterr().out == "1:5: upp\n    no series of upp is stored\n"


def test_server_that_is_away_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with patch("miniprom.cli.query.urlopen", side_effect=ConnectionRefusedError("refused")):
        assert main(["why", "http://host:9090", "up"]) == 1
    assert capsys.readouterr().err == "miniprom: http://host:9090: refused\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to record: expected --query, --queries or --match"),
        (["--query", "up", "--start", "1"], "a range needs both --start and --end"),
        (["--query", "up", "--time", "soon"], 'cannot parse "soon" to a valid timestamp'),
        (["--query", "up", "--start", "2", "--end", "1"], "an --end that is not before its --start"),
        (["--queries", "/nowhere/queries"], "No such file"),
    ],
)
def test_recording_without_sense_is_refused_before_the_server_is_asked(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with patch("miniprom.cli.query.urlopen", side_effect=AssertionError):
        assert main(["record", "http://host:9090", "-o", "/nowhere/file.json", *arguments]) == 1
    assert message in capsys.readouterr().err
