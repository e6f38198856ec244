import pytest

from query.language import EVERYTHING, format_expr, parse, prettify


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("sum(a)by(x)", "sum by (x) (a)"),
        ("sum by() (a)", "sum(a)"),
        ("sum without() (a)", "sum without () (a)"),
        ('sum by("x","y.z")(a)', 'sum by (x, "y.z") (a)'),
        ("topk( 5,a )", "topk(5, a)"),
        ("count_values(`v`,a)", 'count_values("v", a)'),
        ("a-ignoring()b", "a - b"),
        ("a-on()b", "a - on () b"),
        ("a-ignoring()group_left b", "a - ignoring () group_left () b"),
        ("a-on(x)group_right(y)b", "a - on (x) group_right (y) b"),
        ("a-fill(1)b", "a - fill (1) b"),
        ("a-fill_right(1)fill_left(2)b", "a - fill_left (2) fill_right (1) b"),
        ("a>bool 1", "a > bool 1"),
        ('{b="1",a!~"2"}', '{a!~"2",b="1"}'),
        ('{"a"}', '{__name__="a"}'),
        ("info(a,{})", "info(a, {})"),
        ('{"a.b"="c\\n"}', '{"a.b"="c\\n"}'),
        ("a offset 5m @ 1", "a @ 1.000 offset 5m"),
        ("a smoothed offset -1h30m", "a smoothed offset -1h30m"),
        ("a[300] offset 60 anchored @ end()", "a[5m] anchored @ end() offset 1m"),
        ("a[5m*2]", "a[5m * 2]"),
        ("a[(5)]", "a[(5)]"),
        ("a[-(step()+1m)]", "a[-(step() + 1m)]"),
        ("a[min_of(1m,range())]", "a[min_of(1m, range())]"),
        ("a[1h:]offset 0", "a[1h:]"),
        ("a[1h:60]@start()", "a[1h:1m] @ start()"),
        ("90d", "90d"),
        ("-5m", "-5m"),
        ("0x10", "16"),
        ("-Inf", "-Inf"),
        ("- a", "-a"),
        ("'it\\'s'", '"it\'s"'),
        ("time()", "time()"),
    ],
)
def test_expression_is_printed_on_one_line(text: str, printed: str) -> None:
    assert format_expr(parse(text, EVERYTHING)) == printed


LONG = "a_metric_with_a_name_of_forty_characters"


def test_expression_of_a_hundred_bytes_stays_on_its_line() -> None:
    text = f"{LONG} + {LONG} + {'b' * 14}"
    assert len(text) == 100
    assert prettify(parse(text)) == text


def test_operation_longer_than_a_line_has_its_operator_between_its_sides() -> None:
    text = f"{LONG} + on (x) {LONG} / {LONG}"
    assert prettify(parse(text)) == f"  {LONG}\n+ on (x)\n  {LONG} / {LONG}"


def test_nested_calls_longer_than_a_line_are_indented() -> None:
    text = f"histogram_quantile(0.9, sum by (le) (rate({LONG}[5m]) + rate({LONG}[5m])))"
    assert prettify(parse(text)) == "\n".join(
        [
            "histogram_quantile(",
            "  0.9,",
            "  sum by (le) (",
            f"      rate({LONG}[5m])",
            "    +",
            f"      rate({LONG}[5m])",
            "  )",
            ")",
        ]
    )


def test_sign_stays_with_a_split_operand() -> None:
    text = f"-({LONG} + {LONG} + {LONG})"
    assert prettify(parse(text)) == f"-(\n    {LONG} + {LONG}\n  +\n    {LONG}\n)"


def test_subquery_keeps_its_range_behind_a_split_operand() -> None:
    text = f"max_over_time(({LONG} + {LONG} + {LONG})[5m:1m] offset 1m)"
    assert prettify(parse(text)).splitlines()[-2:] == ["  )[5m:1m] offset 1m", ")"]
