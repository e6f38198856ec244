"""What a series is, and where samples live."""

from tsdb.errors import BadMatcherError, TsdbError
from tsdb.labelframe import Groups, LabelDictionary, LabelFrame, LabelScope, join_groups
from tsdb.labels import METRIC_NAME, Labels, labels_from
from tsdb.matcher import Matcher, MatchOp, compile_anchored
from tsdb.sample import ABSENT, STALE, is_absent, is_sample, is_stale

__all__ = [
    "ABSENT",
    "METRIC_NAME",
    "STALE",
    "BadMatcherError",
    "Groups",
    "LabelDictionary",
    "LabelFrame",
    "LabelScope",
    "Labels",
    "MatchOp",
    "Matcher",
    "TsdbError",
    "compile_anchored",
    "is_absent",
    "is_sample",
    "is_stale",
    "join_groups",
    "labels_from",
]
