from hypothesis import given
from hypothesis import strategies as st

from miniprom.remote_write.request import decode, decode_labels, decompress
from miniprom.testing.remote_write import write_request

LABELS = st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=4), max_size=3).map(
    lambda labels: {**labels, "__name__": "x"}
)
ROWS = st.lists(st.tuples(st.integers(-(1 << 62), 1 << 62), st.floats(allow_nan=False)), max_size=5)


@given(st.lists(st.tuples(LABELS, ROWS), max_size=4))
def test_what_is_written_is_what_the_receiver_reads(
    series: list[tuple[dict[str, str], list[tuple[int, float]]]],
) -> None:
    batch = decode(decompress(write_request(series)), known=())
    read = [
        (dict(decode_labels(labels)), time_ms)
        for labels, time_ms in zip(batch.series, batch.timestamps_ms, strict=True)
    ]
    without_empty = [{name: value for name, value in labels.items() if value} for labels, _ in series]
    assert read == [
        (labels, time_ms)
        for labels, (_, rows) in zip(without_empty, series, strict=True)
        for time_ms, _ in rows
    ]
    assert len(batch.values) == sum(len(rows) for _, rows in series)
