"""The labels of a series: clashes with its target's labels, and limits. Upstream: mutateSampleLabels."""

import pytest

from collector.config import GlobalConfig, ScrapeConfig
from collector.errors import LabelLimitError, ScrapeError
from collector.series import SeriesRules, merge_honoured, merge_renamed
from tsdb import labels_from

TARGET = labels_from({"job": "j", "instance": "i"})


def rules(**settings: object) -> SeriesRules:
    return SeriesRules.of(ScrapeConfig(job_name="j", **settings).with_defaults(GlobalConfig()), TARGET)  # type: ignore[arg-type]  # settings by name


def test_displaced_label_is_exported() -> None:
    exposed = labels_from({"__name__": "m", "job": "mine"})
    merged = merge_renamed(exposed, TARGET)
    assert merged == {"__name__": "m", "job": "j", "exported_job": "mine", "instance": "i"}


def test_exported_name_that_is_taken_is_prefixed_again() -> None:
    exposed = labels_from({"job": "1", "exported_job": "2"})
    target = labels_from({"job": "t"})
    assert merge_renamed(exposed, target) == {"job": "t", "exported_job": "2", "exported_exported_job": "1"}


def test_shorter_names_are_exported_first() -> None:
    exposed = labels_from({"job": "1", "exported_job": "2"})
    target = labels_from({"job": "t", "exported_job": "u"})
    assert merge_renamed(exposed, target) == {
        "job": "t",
        "exported_job": "u",
        "exported_exported_job": "1",
        "exported_exported_exported_job": "2",
    }


def test_honoured_labels_prevail() -> None:
    merged = merge_honoured(labels_from({"job": "mine"}), TARGET)
    assert merged == {"job": "mine", "instance": "i"}


def test_series_without_a_name_after_relabelling_fails_the_scrape() -> None:
    with pytest.raises(ScrapeError, match="missing metric name"):
        rules().check(labels_from({"a": "b"}))


def test_legacy_scheme_refuses_other_names() -> None:
    legacy = rules(metric_name_validation_scheme="legacy")
    legacy.check(labels_from({"__name__": "a:b", "c": "d"}))
    with pytest.raises(ScrapeError, match="invalid metric name or label names"):
        legacy.check(labels_from({"__name__": "a", "c.d": "e"}))


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"label_limit": 1}, r"label_limit exceeded \(metric: m, number of labels: 2, limit: 1\)"),
        ({"label_name_length_limit": 7}, r"label_name_length_limit exceeded .* length: 8, limit: 7"),
        ({"label_value_length_limit": 2}, r'label_value_length_limit exceeded .*"äb", length: 3, limit: 2'),
    ],
)
def test_limit_is_exceeded_by_one(limit: dict[str, int], message: str) -> None:
    with pytest.raises(LabelLimitError, match=message):
        rules(**limit).check(labels_from({"__name__": "m", "b": "äb"}))


def test_lengths_just_at_the_limits_pass() -> None:
    limits = {"label_limit": 2, "label_name_length_limit": 8, "label_value_length_limit": 3}
    rules(**limits).check(labels_from({"__name__": "m", "b": "äb"}))
