"""XXH64 with seed 0, after the specification at https://xxhash.com (doc/xxhash_spec.md)."""

import struct
from typing import Final

_MASK: Final = (1 << 64) - 1
_PRIME_1: Final = 0x9E3779B185EBCA87
_PRIME_2: Final = 0xC2B2AE3D27D4EB4F
_PRIME_3: Final = 0x165667B19E3779F9
_PRIME_4: Final = 0x85EBCA77C2B2AE63
_PRIME_5: Final = 0x27D4EB2F165667C5


def xxh64(data: bytes) -> int:
    """The 64-bit hash of `data`, unsigned."""
    length = len(data)
    stripes = length // 32 * 32
    if stripes:
        lanes = [_PRIME_1 + _PRIME_2 & _MASK, _PRIME_2, 0, -_PRIME_1 & _MASK]
        for words in struct.iter_unpack("<4Q", data[:stripes]):
            lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
        digest = sum(_rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        for lane in lanes:
            digest = ((digest ^ _round(0, lane)) * _PRIME_1 + _PRIME_4) & _MASK
    else:
        digest = _PRIME_5
    return _avalanche(_absorb_rest(digest + length & _MASK, data[stripes:]))


def _absorb_rest(digest: int, rest: bytes) -> int:
    """The last 0..31 bytes: words of 8, then of 4, then single bytes."""
    words = len(rest) // 8 * 8
    for (word,) in struct.iter_unpack("<Q", rest[:words]):
        digest = (_rotate(digest ^ _round(0, word), 27) * _PRIME_1 + _PRIME_4) & _MASK
    halves = words + (len(rest) - words) // 4 * 4
    for (half,) in struct.iter_unpack("<I", rest[words:halves]):
        digest = (_rotate(digest ^ (half * _PRIME_1 & _MASK), 23) * _PRIME_2 + _PRIME_3) & _MASK
    for byte in rest[halves:]:
        digest = _rotate(digest ^ (byte * _PRIME_5 & _MASK), 11) * _PRIME_1 & _MASK
    return digest


def _round(lane: int, word: int) -> int:
    return _rotate(lane + word * _PRIME_2 & _MASK, 31) * _PRIME_1 & _MASK


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _avalanche(digest: int) -> int:
    digest = (digest ^ digest >> 33) * _PRIME_2 & _MASK
    digest = (digest ^ digest >> 29) * _PRIME_3 & _MASK
    return digest ^ digest >> 32
