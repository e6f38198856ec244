import pytest

from miniprom.promqltest import NotationError, SeriesLine, parse_script, parse_series
from miniprom.promqltest.custom_buckets import native_histograms
from miniprom.promqltest.histogram_notation import StatedHistogram, format_histogram
from miniprom.promqltest.loading import load
from miniprom.promqltest.statements import Load
from tests.tsdb.reading import everything, samples_of
from tsdb import Store, labels_from
from tsdb.histogram import CounterReset


def loaded(text: str) -> Store:
    store = Store(retention_ms=None)
    for statement in parse_script(text, "t.test").statements:
        assert isinstance(statement, Load)
        load(store, statement)
    return store


def times_of(store: Store) -> dict[str, list[int]]:
    """Times of float samples by metric name."""
    found = samples_of(everything(store.snapshot(0)))
    return {dict(labels)["__name__"]: [at for at, _ in samples] for labels, samples in found.items()}


def converted(*lines: str) -> list[tuple[str, list[str | None]]]:
    return [
        (dict(series.labels)["__name__"], [_text(value) for value in series.values])
        for series in native_histograms([parse_series(line) for line in lines])
    ]


def _text(value: object) -> str | None:
    return format_histogram(value.histogram) if isinstance(value, StatedHistogram) else None


def test_first_value_is_at_time_zero_and_each_next_an_interval_later() -> None:
    assert times_of(loaded("load 15s\n  a 1 2 3\n  b _ 2"))["a"] == [0, 15_000, 30_000]


def test_omitted_value_is_no_sample() -> None:
    assert times_of(loaded("load 1m\n  a 1 _ 3\n  b _ 2"))["a"] == [0, 120_000]


def test_later_load_adds_newer_samples() -> None:
    assert times_of(loaded("load 1m\n  a 1\n\nload 1m\n  a _ 2"))["a"] == [0, 60_000]


def test_later_load_can_not_replace_samples() -> None:
    with pytest.raises(NotationError, match="1 duplicate"):
        loaded("load 1m\n  a 1\n\nload 1m\n  a 2")


def test_last_line_of_a_series_wins() -> None:
    assert times_of(loaded("load 1m\n  a 1 2 3\n  a 5"))["a"] == [0]


def test_floats_and_histograms_of_one_series_stand_in_their_order() -> None:
    store = loaded("load 1m\n  a 1 {{count:1}} {{count:2}} 2 stale {{count:1}}")
    selection = everything(store.snapshot(0))
    (found,) = selection.histograms
    assert found.timestamps_ms.tolist() == [60_000, 120_000, 300_000]
    hints = [histogram.counter_reset_hint for histogram in found.histograms]
    assert hints == [CounterReset.UNKNOWN, CounterReset.NOT_RESET, CounterReset.UNKNOWN]
    assert times_of(store)["a"] == [0, 180_000, 240_000]


def test_start_timestamps_are_relative_to_their_sample() -> None:
    store = loaded("load 1m\n  a@st _ -30s 0s\n  a 1 2 3")
    (found,) = everything(store.snapshot(0)).start_timestamps
    assert list(found.timestamps_ms) == [60_000, 120_000]
    assert list(found.start_timestamps_ms) == [30_000, 120_000]


def test_classic_series_become_one_native_histogram() -> None:
    assert converted(
        'h_bucket{le="1"} 1 2', 'h_bucket{le="+Inf"} 4 6', 'h_bucket{le="2"} 3 3', "h_count 4 6", "h_sum 5 7"
    ) == [
        (
            "h",
            [
                "{{schema:-53 count:4 sum:5 custom_values:[1 2] buckets:[1 2 1]}}",
                "{{schema:-53 count:6 sum:7 custom_values:[1 2] buckets:[2 1 3]}}",
            ],
        )
    ]


def test_count_stands_in_for_a_missing_last_bucket() -> None:
    assert converted('h_bucket{le="1"} 1', "h_count 4") == [
        ("h", ["{{schema:-53 count:4 custom_values:[1] buckets:[1 3]}}"])
    ]


def test_last_bucket_stands_in_for_a_missing_count() -> None:
    assert converted('h_bucket{le="1"} 1', 'h_bucket{le="+Inf"} 3') == [
        ("h", ["{{schema:-53 count:3 custom_values:[1] buckets:[1 2]}}"])
    ]


def test_time_without_samples_has_no_histogram() -> None:
    assert converted('h_bucket{le="+Inf"} 1 _ 3')[0][1][1] is None


def test_labels_but_le_part_histograms() -> None:
    series: list[SeriesLine] = native_histograms(
        [parse_series('h_bucket{le="+Inf", x="1"} 1'), parse_series('h_bucket{le="+Inf", x="2"} 1')]
    )
    assert [line.labels for line in series] == [labels_from({"__name__": "h", "x": x}) for x in "12"]


def test_other_series_are_left_alone() -> None:
    assert converted("a 1", "b_total 2") == []


@pytest.mark.parametrize(
    "lines", [('h_bucket{le="1"} 3', 'h_bucket{le="+Inf"} 2'), ('h_bucket{le="+Inf"} 2', "h_count 3")]
)
def test_counts_that_contradict_each_other_are_refused(lines: tuple[str, str]) -> None:
    with pytest.raises(NotationError):
        converted(*lines)
