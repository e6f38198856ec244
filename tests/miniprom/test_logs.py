"""Log lines."""

import json
import logging

from miniprom.logs import JsonFormatter, LogfmtFormatter


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord(
        {"msg": message, "levelno": logging.WARNING, "levelname": "WARNING", "filename": "a.py", "lineno": 7}
    )
    made.created = 1_700_000_000.25
    vars(made).update(fields)
    return made


def test_logfmt_quotes_only_what_needs_it() -> None:
    line = LogfmtFormatter().format(record('say "hi"', job="a b", n=1))
    assert line == ('time=2023-11-14T22:13:20.250Z level=WARN source=a.py:7 msg="say \\"hi\\"" job="a b" n=1')


def test_line_breaks_stay_inside_one_line() -> None:
    assert "\n" not in LogfmtFormatter().format(record("a\nb", err="c\nd"))


def test_json_has_the_same_fields() -> None:
    assert json.loads(JsonFormatter().format(record("m", job="a"))) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "WARN",
        "source": "a.py:7",
        "msg": "m",
        "job": "a",
    }
