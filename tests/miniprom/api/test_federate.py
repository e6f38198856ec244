"""/federate: the text that another Prometheus scrapes."""

import numpy as np
import pytest

from tests.miniprom.api.harness import NOW_MS, Api, serving
from tsdb import STALE, labels_from

CONFIG = "global: {external_labels: {cluster: c1, job: outer}}\n"
UTF8 = {"Accept": "text/plain;version=1.0.0;escaping=allow-utf-8"}


def test_newest_samples_are_given_with_their_times_by_name(api: Api) -> None:
    answer = api.get("/federate", [("match[]", '{__name__=~"up|requests_total"}')])
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.text == (
        "# TYPE requests_total untyped\n"
        f'requests_total{{code="200",job="a",instance=""}} 60 {NOW_MS}\n'
        "# TYPE up untyped\n"
        f'up{{job="a",instance=""}} 1 {NOW_MS}\n'
        f'up{{job="b",instance=""}} 0 {NOW_MS}\n'
    )


def test_external_labels_fill_what_a_series_lacks() -> None:
    with serving(CONFIG) as api:
        api.add({"__name__": "up", "job": "a", "instance": "i"}, [(0, 1)])
        text = api.get("/federate", {"match[]": "up"}).text
    assert f'up{{instance="i",job="a",cluster="c1"}} 1 {NOW_MS}\n' in text


def test_sample_older_than_the_lookback_is_not_given() -> None:
    with serving() as api:
        api.add({"__name__": "old"}, [(300.001, 1)])
        api.add({"__name__": "young"}, [(300, 1)])
        text = api.get("/federate", {"match[]": '{__name__=~".+"}'}).text
    assert "old" not in text
    assert f'young{{instance=""}} 1 {NOW_MS - 300_000}' in text


def test_series_that_ended_is_not_given() -> None:
    with serving() as api:
        api.add({"__name__": "gone"}, [(60, 1), (0, float(STALE))])
        api.store.append(
            api.store.series_ids([labels_from({"__name__": "gone2"})]), NOW_MS, np.array([STALE])
        )
        assert api.get("/federate", {"match[]": '{__name__=~"gone.*"}'}).text == ""


@pytest.mark.parametrize(
    ("headers", "line"),
    [
        (UTF8, f'{{"my.metric","k8s.pod"="p",instance=""}} 5 {NOW_MS}\n'),
        ({}, f'my_metric{{k8s_pod="p",instance=""}} 5 {NOW_MS}\n'),
    ],
)
def test_names_beyond_ascii_are_quoted_or_escaped(api: Api, headers: dict[str, str], line: str) -> None:
    assert line in api.get("/federate", {"match[]": '{"my.metric"}'}, headers).text


def test_special_characters_in_values_are_escaped() -> None:
    with serving() as api:
        api.add({"__name__": "x", "path": 'a\\b"c\nd'}, [(0, float("inf"))])
        text = api.get("/federate", {"match[]": "x"}).text
    assert 'x{path="a\\\\b\\"c\\nd",instance=""} +Inf' in text


def test_bad_selector_is_refused_in_plain_text(api: Api) -> None:
    answer = api.get("/federate", {"match[]": "up{"})
    assert answer.status == 400
    assert answer.text == "1:4: parse error: unexpected end of input inside braces\n"
