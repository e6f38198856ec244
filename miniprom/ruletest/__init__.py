"""Tests of rules, in the files that `promtool test rules` runs."""

from miniprom.ruletest.files import load_test_file
from miniprom.ruletest.runner import TestResult, run_test_file

__all__ = ["TestResult", "load_test_file", "run_test_file"]
