"""Packing: what is unpacked is what was packed, bit for bit."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from tsdb.packing import pack, unpack

arrays = npst.arrays(
    st.sampled_from((np.uint8, np.uint16, np.int32, np.int64, np.uint64)),
    npst.array_shapes(max_dims=2, min_side=0, max_side=5),
)
contents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | arrays,
    lambda inner: st.lists(inner, max_size=4),
)


def plain(content: Any) -> Any:
    """Arrays as their type, shape and bytes, so that contents can be compared."""
    if isinstance(content, np.ndarray):
        return content.dtype.str, content.shape, content.tobytes()
    return [plain(part) for part in content] if isinstance(content, list) else content


@given(contents)
def test_what_is_unpacked_is_what_was_packed(content: Any) -> None:
    assert plain(unpack(memoryview(pack(content)))) == plain(content)


def test_unpacked_arrays_do_not_hold_the_bytes_they_came_from() -> None:
    array: NDArray[np.float64] = unpack(memoryview(pack([np.ones(3)])))[0]
    assert array.flags.owndata
