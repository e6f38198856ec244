import pytest

from query.language import AGGREGATORS, FUNCTIONS, ValueType
from query.language.functions import UNBOUNDED


def test_names_are_unique_and_in_alphabetical_order() -> None:
    assert list(FUNCTIONS) == sorted(FUNCTIONS)
    assert list(AGGREGATORS) == sorted(AGGREGATORS)
    assert (len(FUNCTIONS), len(AGGREGATORS)) == (90, 14)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("time", 0, 0),
        ("abs", 1, 1),
        ("hour", 0, 1),
        ("round", 1, 2),
        ("label_join", 3, None),
        ("histogram_quantiles", 3, 12),
    ],
)
def test_function_takes_so_many_arguments(name: str, least: int, most: int | None) -> None:
    assert (FUNCTIONS[name].min_args, FUNCTIONS[name].max_args) == (least, most)


def test_further_arguments_are_like_the_last() -> None:
    join = FUNCTIONS["label_join"]
    assert join.variadic == UNBOUNDED
    assert [join.arg_type(index) for index in (0, 3, 9)] == [
        ValueType.VECTOR,
        ValueType.STRING,
        ValueType.STRING,
    ]
