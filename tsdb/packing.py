"""Arrays, numbers, texts and lists of them as bytes.

The length of a text (uint32), the text, and the bytes of the arrays. The text is JSON, in which an array
stands as its type and shape.
"""

import json
import math
import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_LENGTH: Final = struct.Struct("<I")
_SPACES: Final = (",", ":")


def pack(content: Any) -> bytes:
    """Bytes of anything made of lists, tuples, texts, numbers, None and arrays."""
    arrays: list[bytes] = []

    def described(array: NDArray[Any]) -> dict[str, Any]:
        arrays.append(array.tobytes())
        return {"type": array.dtype.str, "shape": array.shape}

    text = json.dumps(content, separators=_SPACES, default=described).encode()
    return b"".join((_LENGTH.pack(len(text)), text, *arrays))


def unpack(packed: memoryview) -> Any:
    """The same again, tuples as lists; arrays are copies."""
    (length,) = _LENGTH.unpack_from(packed)
    position = _LENGTH.size + length

    def read(description: dict[str, Any]) -> NDArray[Any]:
        nonlocal position
        dtype, shape = np.dtype(description["type"]), description["shape"]
        count = math.prod(shape)
        array = np.frombuffer(packed, dtype, count, position).reshape(shape).copy()
        position += array.nbytes
        return array

    return json.loads(bytes(packed[_LENGTH.size : position]), object_hook=read)
