"""Blocks of one query's work in a few threads: numpy lets go of the interpreter's lock while it computes."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
Answer = TypeVar("Answer")

THREADS = min(os.cpu_count() or 1, 4)


def in_threads(work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterator[Answer]:
    """`work(item)` for each item, in order. What it raises is raised here, and the items left are not begun.

    All queries share the threads; `work` must not ask for them itself.
    """
    if len(items) < 2 or THREADS < 2:
        return map(work, items)

    def quiet(item: Item) -> Answer:
        with np.errstate(all="ignore"):  # which each thread has its own
            return work(item)

    return _threads().map(quiet, items)


def _threads() -> ThreadPoolExecutor:
    global _pool  # noqa: PLW0603  started by the first large query, kept for the next
    with _starting:
        if _pool is None:
            _pool = ThreadPoolExecutor(THREADS, thread_name_prefix="blocks")
        return _pool


_starting = threading.Lock()
_pool: ThreadPoolExecutor | None = None
