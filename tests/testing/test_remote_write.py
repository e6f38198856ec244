from hypothesis import given
from hypothesis import strategies as st

from miniprom.remote_write.request import decompress
from miniprom.testing.remote_write import write_request
from tests.miniprom.remote_write.messages import encode

# Protobuf leaves zeros and empty texts out, we need not: there are none here.
TEXT = st.text(min_size=1, max_size=4)
LABELS = st.dictionaries(TEXT, TEXT, max_size=3).map(
    lambda labels: dict(sorted({**labels, "__name__": "x"}.items()))
)
TIMES = st.integers(-(1 << 63), (1 << 63) - 1).filter(bool)
VALUES = st.floats(allow_nan=False).filter(bool)
SERIES = st.tuples(LABELS, st.lists(st.tuples(TIMES, VALUES), max_size=5))


@given(st.lists(SERIES, max_size=4))
def test_requests_are_as_protobuf_writes_them(
    series: list[tuple[dict[str, str], list[tuple[int, float]]]],
) -> None:
    assert decompress(write_request(series)) == encode(series)
