"""Pieces of one query's work in a few threads: numpy lets go of the interpreter's lock while it computes."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

import numpy as np

Item = TypeVar("Item")
Answer = TypeVar("Answer")

THREADS: Final = min(os.cpu_count() or 1, 4)
THREADS_PAY_FROM: Final = 1 << 19
"""Samples: below, handing work over costs more than a second thread gains."""


def in_threads(work: Callable[[Item], Answer], items: Iterable[Item], *, samples: int) -> Iterator[Answer]:
    """`work(item)` for each item, in order; in threads if there are `samples` enough in all.

    Work is begun only a little ahead of what is taken, so that memory is bounded. What it raises is raised
    here. All queries share the threads: `work` must not ask for them itself.
    """
    if samples < THREADS_PAY_FROM or THREADS < 2:
        yield from map(work, items)
        return

    def quiet(item: Item) -> Answer:
        with np.errstate(all="ignore"):  # which each thread has its own
            return work(item)

    threads = _threads()
    begun: deque[Future[Answer]] = deque()
    try:
        for item in items:
            begun.append(threads.submit(quiet, item))
            if len(begun) > 2 * THREADS:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()


def _threads() -> ThreadPoolExecutor:
    global _pool  # noqa: PLW0603  started by the first large query, kept for the next
    with _starting:
        if _pool is None:
            _pool = ThreadPoolExecutor(THREADS, thread_name_prefix="blocks")
        return _pool


_starting = threading.Lock()
_pool: ThreadPoolExecutor | None = None
