from collections.abc import Iterator

import pytest

from tests.miniprom.api.harness import Api, serving


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A server with a few series, shared by the tests of a module: they must not write."""
    with serving() as served:
        for job, value in (("a", 1.0), ("b", 0.0)):
            served.add({"__name__": "up", "job": job}, [(30, value), (15, value), (0, value)])
        served.add({"__name__": "requests_total", "job": "a", "code": "200"}, [(60, 0), (30, 30), (0, 60)])
        served.add({"__name__": "my.metric", "k8s.pod": "p"}, [(0, 5)])
        yield served
