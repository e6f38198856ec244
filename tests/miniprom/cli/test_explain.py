"""`miniprom explain`."""

import json
from io import BytesIO
from unittest.mock import patch

import pytest

from miniprom.cli import main

PLAN = {
    "node": "operator >",
    "series": 2,
    "samples": 482,
    "seconds": 0.0125,
    "operands": [
        {
            "node": "sum by (pod) of rate(), fused",
            "series": 3,
            "samples": 723,
            "seconds": 0.0123,
            "operands": [
                {
                    "node": "samples of x[5m]",
                    "series": 1000,
                    "samples": 240_000,
                    "seconds": 0.0,
                    "operands": [],
                }
            ],
        },
        {"node": "number 6", "operands": []},
    ],
}


def test_plan_is_printed_as_a_tree(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "topk(2 + 1, sum by (a) (rate(x[5m])) / y) > -1"]) == 0
    assert capsys.readouterr().out == (
        "operator >\n"
        "├─ topk\n"
        "│  ├─ number 3\n"
        "│  └─ operator /\n"
        "│     ├─ sum by (a) of rate(), fused\n"
        "│     │  └─ samples of x[5m]\n"
        "│     └─ newest of y\n"
        "└─ number -1\n"
    )


def test_figures_of_a_server_stand_beside_the_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    answer = BytesIO(json.dumps({"status": "success", "data": PLAN}).encode())
    with patch("miniprom.cli.query.urlopen", return_value=answer) as opened:
        arguments = ["x > 6", "--url", "host:9090", "--start", "1", "--end", "2", "--step", "15s"]
        assert main(["explain", *arguments]) == 0
    (request,) = opened.call_args.args
    assert request.full_url == "http://host:9090/api/v1/explain"
    assert request.data == b"query=x+%3E+6&start=1&end=2&step=15s"
    assert capsys.readouterr().out == (
        "node                              series  samples    ms\n"
        "operator >                        2       482      12.5\n"
        "├─ sum by (pod) of rate(), fused  3       723      12.3\n"
        "│  └─ samples of x[5m]            1,000   240,000   0.0\n"
        "└─ number 6                                            \n"
    )


def test_syntax_error_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "sum(x"]) == 1
    assert "unclosed left parenthesis" in capsys.readouterr().err
