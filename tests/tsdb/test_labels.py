from tsdb import labels_from


def test_labels_are_sorted_by_name() -> None:
    assert labels_from({"b": "1", "a": "2"}) == (("a", "2"), ("b", "1"))


def test_an_empty_value_is_no_label() -> None:
    assert labels_from({"a": "", "b": "1"}) == (("b", "1"),)
