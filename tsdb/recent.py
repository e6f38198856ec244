"""What was found out of late, kept in case it is asked for again."""

import threading
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

_LARGEST_SHARE: Final = 4


class Recent(Generic[Key, Answer]):
    """The answers asked for last, up to `room` in the sum of their sizes. For any thread.

    One that would take more than a fourth of the room is not kept.
    """

    def __init__(self, room: int) -> None:
        self.largest = room // _LARGEST_SHARE
        """The largest size that is kept."""
        self._room = room
        self._answers: dict[Key, tuple[Answer, int]] = {}
        self._lock = threading.Lock()

    def get(self, key: Key) -> Answer | None:
        """The answer, if it is there still."""
        with self._lock:
            kept = self._answers.pop(key, None)
            if kept is None:
                return None
            self._answers[key] = kept
            return kept[0]

    def put(self, key: Key, answer: Answer, size: int) -> None:
        """Keep an answer in place of the one before; those not asked for the longest time make room."""
        if size > self.largest:
            return
        with self._lock:
            replaced = self._answers.pop(key, None)
            self._room += replaced[1] if replaced else 0
            self._answers[key] = answer, size
            self._room -= size
            while self._room < 0:
                _, freed = self._answers.pop(next(iter(self._answers)))
                self._room += freed
