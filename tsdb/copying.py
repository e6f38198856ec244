"""A second store with the same samples, made in milliseconds: what never changes is shared."""

import copy
import threading

from tsdb.reading import REMEMBERED_SAMPLES
from tsdb.recent import Recent
from tsdb.wal_store import LoggedStore


def copied(store: LoggedStore) -> LoggedStore:
    """A store of its own that holds the same. From the writing thread. Requires: nothing is logged."""
    assert store.log is None
    shared: dict[int, object] = {}
    for view in store._rings.capture()[1]:
        for block in view.blocks:
            shared[id(block)] = block
            shared[id(block.layout)] = block.layout
        shared[id(view.layout)] = view.layout
    for track in store._histograms.values():
        _, histograms = track._lists
        shared.update((id(histogram), histogram) for histogram in histograms)
    shared[id(store._swap)] = threading.Lock()
    shared[id(store._index._newest_view)] = None  # it remembers what was asked of it
    shared[id(store._matrices)] = Recent(REMEMBERED_SAMPLES)
    return copy.deepcopy(store, shared)
