from collections.abc import Iterator

import pytest

from tests.miniprom.fake.serving import Fake, serving


@pytest.fixture(scope="package")
def served() -> Iterator[Fake]:
    with serving() as fake:
        yield fake


@pytest.fixture
def fake(served: Fake) -> Fake:
    """Empty."""
    served.control("POST", "reset", {})
    return served
