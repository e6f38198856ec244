import pytest

from query.kernels.xxhash import xxh64


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        # What other implementations test with: empty, less than a word, more than a stripe, words after one.
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"Call me Ishmael. Some years ago--never mind how long precisely-", 0x02A2E85470D6FD96),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_digest_is_the_published_one(data: bytes, digest: int) -> None:
    assert xxh64(data) == digest
