"""What a series is, and where samples live."""

from tsdb.appended import NO_ROOM, Appended, Outcome
from tsdb.errors import BadMatcherError, TsdbError
from tsdb.labelframe import Groups, LabelDictionary, LabelFrame, LabelScope, join_groups
from tsdb.labels import METRIC_NAME, Labels, labels_from
from tsdb.matcher import Matcher, MatchOp
from tsdb.sample import ABSENT, STALE, is_absent, is_sample, is_stale
from tsdb.slab import Slab
from tsdb.snapshot import HistogramSeries, Selection, Snapshot, StartTimestamps
from tsdb.stats import Stats
from tsdb.store import Store

__all__ = [
    "ABSENT",
    "METRIC_NAME",
    "NO_ROOM",
    "STALE",
    "Appended",
    "BadMatcherError",
    "Groups",
    "HistogramSeries",
    "LabelDictionary",
    "LabelFrame",
    "LabelScope",
    "Labels",
    "MatchOp",
    "Matcher",
    "Outcome",
    "Selection",
    "Slab",
    "Snapshot",
    "StartTimestamps",
    "Stats",
    "Store",
    "TsdbError",
    "is_absent",
    "is_sample",
    "is_stale",
    "join_groups",
    "labels_from",
]
