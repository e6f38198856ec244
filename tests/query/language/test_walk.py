from query.language import format_expr, parse, walk


def test_walk_visits_parents_first_and_the_vector_of_an_aggregation_before_its_parameter() -> None:
    tree = parse("topk(scalar(b), (a)) + -rate(c[5m])")
    assert [format_expr(node) for node in walk(tree)] == [
        "topk(scalar(b), (a)) + -rate(c[5m])",
        "topk(scalar(b), (a))",
        "(a)",
        "a",
        "scalar(b)",
        "b",
        "-rate(c[5m])",
        "rate(c[5m])",
        "c[5m]",
        "c",
    ]
