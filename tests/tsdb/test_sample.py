import numpy as np

from tsdb import ABSENT, STALE, is_absent, is_sample, is_stale

MIXED = np.array([1.0, np.nan, STALE, ABSENT, -0.0])


def test_the_stale_marker_is_known_by_its_bits_not_by_being_nan() -> None:
    assert is_stale(MIXED).tolist() == [False, False, True, False, False]


def test_a_row_without_a_sample_is_known_by_its_bits_not_by_being_nan() -> None:
    assert is_absent(MIXED).tolist() == [False, False, False, True, False]


def test_nan_is_a_sample_and_both_markers_are_not() -> None:
    present = is_sample(MIXED)
    assert present is not None
    assert present.tolist() == [True, True, False, False, True]


def test_samples_everywhere_need_no_mask() -> None:
    assert is_sample(np.array([1.0, np.nan])) is None


def test_the_markers_survive_being_taken_from_columns() -> None:
    columns = np.tile(MIXED, (3, 1))
    assert is_stale(columns[:, 2]).all()
    assert is_absent(columns[1:, [3]]).all()
