"""From bodies to rows: staleness, limits, timestamps, and what the report counts."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import SampleLimitError
from collector.intake import Intake, Refused
from collector.relabel import RelabelConfig
from tests.collector.scraping import STALE, TEXT_TYPE, job, stored, targets_of, values_of
from tsdb import Store, labels_from

TARGET = {"instance": "host:80", "job": "job"}


class Scrapes:
    """An intake, and one scrape a second."""

    def __init__(self, *, retention_ms: int | None = None, **job_settings: Any) -> None:
        self.store = Store(retention_ms=retention_ms)
        config = job(**job_settings)
        self.intake = Intake(self.store, config, targets_of(config)[0])
        self.now_ms = 0

    def scrape(self, body: str, content_type: str = TEXT_TYPE) -> Refused:
        self.now_ms += 1_000
        self.batch = self.intake.read(body.encode(), content_type)
        return self.intake.commit(self.batch, self.now_ms, 0.25)

    def values(self, name: str, **labels: str) -> list[float | str]:
        [points] = stored(self.store, name, **(labels or TARGET)).values()
        return values_of(points)


def test_samples_get_the_time_of_the_scrape_and_the_labels_of_the_target() -> None:
    scrapes = Scrapes()
    scrapes.scrape('m{a="1"} 2\n')
    assert stored(scrapes.store, "m", **TARGET) == {"a=1": [(1_000, 2.0)]}


def test_vanished_series_is_marked_stale_once_and_may_come_back() -> None:
    scrapes = Scrapes()
    for body in ("m 1\nn 1\n", "n 2\n", "n 3\n", "m 4\nn 4\n"):
        scrapes.scrape(body)
    assert stored(scrapes.store, "m", **TARGET) == {"": [(1_000, 1.0), (2_000, STALE), (4_000, 4.0)]}
    assert scrapes.values("n") == [1, 2, 3, 4]


def test_series_that_only_changes_its_spelling_is_not_marked_stale() -> None:
    scrapes = Scrapes()
    scrapes.scrape('m{a="1",b="2"} 1\n')
    scrapes.scrape('m{b="2",a="1"} 2\n')
    assert stored(scrapes.store, "m", **TARGET) == {"a=1,b=2": [(1_000, 1.0), (2_000, 2.0)]}


def test_malformed_body_marks_all_series_stale_and_the_next_good_one_revives_them() -> None:
    scrapes = Scrapes()
    for body in ("m 1\n", "m one\n", "m 3\n"):
        scrapes.scrape(body)
    assert scrapes.values("m") == [1, STALE, 3]
    assert scrapes.values("up") == [1, 0, 1]
    assert scrapes.values("scrape_series_added") == [1, 0, 0]


def test_unknown_content_type_fails_the_scrape_unless_a_fallback_is_set() -> None:
    scrapes = Scrapes()
    scrapes.scrape("m 1\n", content_type="text/html")
    assert scrapes.values("up") == [0]
    scrapes = Scrapes(fallback_scrape_protocol="PrometheusText0.0.4")
    scrapes.scrape("m 1\n", content_type="text/html")
    assert scrapes.values("m") == [1]


def test_format_may_change_from_scrape_to_scrape() -> None:
    scrapes = Scrapes()
    scrapes.scrape("m 1\n")
    scrapes.scrape("m 2\n# EOF\n", content_type="application/openmetrics-text; version=1.0.0")
    scrapes.scrape("m 3\n")
    assert scrapes.values("m") == [1, 2, 3]


def test_empty_body_is_a_healthy_scrape_without_series() -> None:
    scrapes = Scrapes()
    scrapes.scrape("m 1\n")
    scrapes.scrape("", content_type="")
    assert scrapes.values("m") == [1, STALE]
    assert scrapes.values("up") == [1, 1]


def test_report_counts_samples_before_and_after_relabelling_and_new_series() -> None:
    drop = RelabelConfig(source_labels=("__name__",), regex="go_.*", action="drop")
    scrapes = Scrapes(metric_relabel_configs=(drop,))
    scrapes.scrape("go_a 1\nm 1\nn 1\n")
    scrapes.scrape("go_a 2\nm 2\nn 2\no 2\n")
    assert scrapes.values("scrape_duration_seconds") == [0.25, 0.25]
    assert scrapes.values("scrape_samples_scraped") == [3, 4]
    assert scrapes.values("scrape_samples_post_metric_relabeling") == [2, 3]
    assert scrapes.values("scrape_series_added") == [2, 1]
    assert stored(scrapes.store, "go_a") == {}


def test_extra_report_is_written_where_it_is_asked_for() -> None:
    scrapes = Scrapes(extra_scrape_metrics=True, sample_limit=9)
    scrapes.scrape("m 1\n")
    assert scrapes.values("scrape_timeout_seconds") == [5]
    assert scrapes.values("scrape_sample_limit") == [9]
    assert scrapes.values("scrape_body_size_bytes") == [4]


def test_sample_limit_is_met_by_as_many_samples_and_exceeded_by_one_more() -> None:
    scrapes = Scrapes(sample_limit=2)
    scrapes.scrape("m 1\nn 1\n")
    assert scrapes.values("up") == [1]
    scrapes.scrape("m 2\nn 2\no 2\n")
    assert isinstance(scrapes.batch.error, SampleLimitError)
    assert scrapes.values("m") == [1, STALE]
    assert scrapes.values("scrape_samples_scraped") == [2, 3]
    assert scrapes.values("scrape_samples_post_metric_relabeling") == [2, 3]
    assert stored(scrapes.store, "o", **TARGET) in ({}, {"": []})


def test_dropped_samples_do_not_count_for_the_limit() -> None:
    drop = RelabelConfig(source_labels=("__name__",), regex="n", action="drop")
    scrapes = Scrapes(sample_limit=1, metric_relabel_configs=(drop,))
    scrapes.scrape("m 1\nn 1\n")
    assert scrapes.values("m") == [1]


def test_label_limit_fails_each_scrape_until_the_series_is_gone() -> None:
    scrapes = Scrapes(label_limit=3)
    for body in ('m 1\nn{a="1"} 1\n', 'm 2\nn{a="1"} 2\n', "m 3\n"):
        scrapes.scrape(body)
    assert scrapes.values("up") == [0, 0, 1]
    assert scrapes.values("m") == [3]


def test_sample_with_a_time_of_its_own_gets_no_stale_marker() -> None:
    scrapes = Scrapes()
    scrapes.scrape("m 1 500\nn 1\n")
    scrapes.scrape("n 2\n")
    assert stored(scrapes.store, "m", **TARGET) == {"": [(500, 1.0)]}


def test_staleness_of_timestamped_samples_is_tracked_where_asked_for() -> None:
    scrapes = Scrapes(track_timestamps_staleness=True)
    scrapes.scrape("m 1 500\nn 1\n")
    scrapes.scrape("n 2\n")
    assert stored(scrapes.store, "m", **TARGET) == {"": [(500, 1.0), (2_000, STALE)]}


def test_timestamps_are_ignored_where_they_are_not_honoured() -> None:
    scrapes = Scrapes(honor_timestamps=False)
    scrapes.scrape("m 1 500\n")
    assert stored(scrapes.store, "m", **TARGET) == {"": [(1_000, 1.0)]}


def test_timestamp_more_than_ten_minutes_ahead_is_out_of_bounds() -> None:
    scrapes = Scrapes()
    assert scrapes.scrape("m 1 601000\nn 1 601001\n").out_of_bounds == 1
    assert stored(scrapes.store, "n", **TARGET) == {}


def test_older_timestamp_than_the_last_is_out_of_order() -> None:
    scrapes = Scrapes()
    scrapes.scrape("m 1 500\n")
    assert scrapes.scrape("m 2 400\n").out_of_order == 1
    assert scrapes.values("up") == [1, 1]


def test_series_given_twice_keeps_the_first_value_and_counts_a_duplicate() -> None:
    scrapes = Scrapes()
    refused = scrapes.scrape("m 1\nm 2\n")
    assert (refused.duplicate, scrapes.values("m")) == (1, [1])
    assert scrapes.values("scrape_samples_post_metric_relabeling") == [2]


def test_dropped_series_given_twice_is_no_duplicate() -> None:
    drop = RelabelConfig(source_labels=("__name__",), regex="m", action="drop")
    scrapes = Scrapes(metric_relabel_configs=(drop,))
    assert scrapes.scrape("m 1\nm 2\nn 1\n").duplicate == 0
    assert scrapes.values("scrape_samples_scraped") == [3]
    assert scrapes.values("scrape_samples_post_metric_relabeling") == [1]


def test_series_given_twice_with_times_of_its_own_keeps_both() -> None:
    scrapes = Scrapes()
    assert scrapes.scrape("m 1 500\nm 2 600\n").duplicate == 0
    assert stored(scrapes.store, "m", **TARGET) == {"": [(500, 1.0), (600, 2.0)]}


def test_series_that_relabelling_makes_equal_are_duplicates_if_their_values_differ() -> None:
    drop = RelabelConfig(regex="a", action="labeldrop")
    scrapes = Scrapes(metric_relabel_configs=(drop,))
    assert scrapes.scrape('m{a="1"} 5\nm{a="2"} 5\n').duplicate == 0
    assert scrapes.scrape('m{a="1"} 5\nm{a="2"} 6\n').duplicate == 1
    assert scrapes.values("m") == [5, 5]


def test_equal_series_is_not_stale_while_one_spelling_of_it_is_there() -> None:
    drop = RelabelConfig(regex="a", action="labeldrop")
    scrapes = Scrapes(metric_relabel_configs=(drop,))
    scrapes.scrape('m{a="1"} 5\nm{a="2"} 5\n')
    scrapes.scrape('m{a="2"} 6\n')
    assert scrapes.values("m") == [5, 6]


def test_end_marks_series_and_reports_stale_but_not_what_has_newer_samples() -> None:
    scrapes = Scrapes()
    scrapes.scrape("m 1\nn 1\n")
    successor = Intake(scrapes.store, job(), targets_of(job())[0])
    successor.commit(successor.read(b"m 2\n", TEXT_TYPE), 3_000, 0.25)
    scrapes.intake.end(2_000)
    assert scrapes.values("m") == [1, 2]
    assert scrapes.values("n") == [1, STALE]
    assert scrapes.values("up") == [1, 1]


def test_metadata_is_that_of_the_last_good_body() -> None:
    scrapes = Scrapes()
    scrapes.scrape("# TYPE m counter\n# HELP m Some help.\nm 1\n")
    scrapes.scrape("m one\n")
    assert scrapes.intake.metadata["m"].help == "Some help."
    assert scrapes.intake.metadata["m"].type == "counter"


BODIES = st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9)) | st.none(), max_size=8)


@settings(max_examples=60)
@given(BODIES)
def test_each_series_has_its_values_and_a_marker_after_each_run_of_them(
    bodies: list[dict[str, int] | None],
) -> None:
    """None is a failed scrape."""
    scrapes = Scrapes()
    expected: dict[str, list[tuple[int, float | str]]] = {}
    alive: set[str] = set()
    for number, body in enumerate(bodies, 1):
        text = "broken\n" if body is None else "".join(f"{name} {value}\n" for name, value in body.items())
        scrapes.scrape(text)
        for name, value in (body or {}).items():
            expected.setdefault(name, []).append((number * 1_000, float(value)))
        for name in alive - set(body or {}):
            expected[name].append((number * 1_000, STALE))
        alive = set(body or {})
    for name, points in expected.items():
        assert stored(scrapes.store, name, **TARGET) == {"": points}


def test_broken_line_is_named_in_the_error() -> None:
    scrapes = Scrapes()
    scrapes.scrape("m 1\nn one\n")
    assert "line 2" in str(scrapes.batch.error)


@pytest.mark.parametrize("honor", [True, False])
def test_clash_with_a_target_label_is_settled_by_honor_labels(honor: bool) -> None:
    scrapes = Scrapes(honor_labels=honor)
    scrapes.scrape('m{job="mine"} 1\n')
    [labels] = stored(scrapes.store, "m")
    assert labels == ("instance=host:80,job=mine" if honor else "exported_job=mine,instance=host:80,job=job")


def taken_over(scrapes: Scrapes) -> None:
    """Let the retention pass, and other series take the ids that are free."""
    scrapes.now_ms += 20_000
    scrapes.store.expire(scrapes.now_ms)
    others = [labels_from({"__name__": "other", "i": str(i)}) for i in range(20)]
    scrapes.store.append(scrapes.store.series_ids(others), scrapes.now_ms, np.zeros(20))


def test_target_that_returns_after_the_retention_does_not_write_to_series_that_took_over_its_ids() -> None:
    scrapes = Scrapes(retention_ms=10_000)
    scrapes.scrape("m 1\n")
    taken_over(scrapes)
    scrapes.scrape("m 2\n")
    assert stored(scrapes.store, "m", **TARGET) == {"": [(22_000, 2.0)]}
    assert all(values_of(points) == [0] for points in stored(scrapes.store, "other").values())


def test_no_stale_marker_goes_to_a_series_that_took_over_an_id() -> None:
    scrapes = Scrapes(retention_ms=10_000)
    scrapes.scrape("m 1\n")
    taken_over(scrapes)
    scrapes.intake.end(scrapes.now_ms + 1)
    assert len(stored(scrapes.store, "other")) == 20
    assert all(values_of(points) == [0] for points in stored(scrapes.store, "other").values())


def test_series_that_vanished_long_ago_does_not_cost_its_target_the_memory_of_lines() -> None:
    scrapes = Scrapes(retention_ms=10_000)
    scrapes.scrape("m 1\nn 1\n")
    for _ in range(30):
        scrapes.scrape("m 1\n")
        scrapes.store.expire(scrapes.now_ms)
        assert scrapes.batch.series_added == 0


def test_over_the_memory_limit_known_series_go_on_and_new_ones_are_taken_up_once_there_is_room() -> None:
    scrapes = Scrapes()
    scrapes.scrape("m 1\n")
    scrapes.store.budget.memory_bytes = 0
    scrapes.scrape("m 2\nn 2\n")
    assert (scrapes.batch.series_refused, scrapes.batch.series_added) == (1, 0)
    scrapes.scrape("m 3\nn 3\n")
    assert scrapes.batch.series_refused == 1
    scrapes.store.budget.memory_bytes = None
    scrapes.scrape("m 4\nn 4\n")
    assert (scrapes.batch.series_refused, scrapes.batch.series_added) == (0, 1)
    assert scrapes.values("m") == [1, 2, 3, 4]
    assert scrapes.values("n") == [4]
    assert scrapes.values("up") == [1, 1, 1, 1]
