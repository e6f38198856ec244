"""PromQL test scripts: `load` samples, `eval` queries, compare what they answer."""

from miniprom.promqltest.errors import NotationError, ScriptError
from miniprom.promqltest.parser import parse_script
from miniprom.promqltest.report import Detail, run_files
from miniprom.promqltest.runner import CaseResult, run_script
from miniprom.promqltest.series import SeriesLine, parse_series

__all__ = [
    "CaseResult",
    "Detail",
    "NotationError",
    "ScriptError",
    "SeriesLine",
    "parse_script",
    "parse_series",
    "run_files",
    "run_script",
]
