"""When a target is scraped: at a fixed phase of its interval, which spreads targets evenly. Pure functions.

A target's ticks are the times with `time_ms % interval_ms == phase`, whoever computes them and whenever;
upstream's Target.offset. But phases are multiples of a slot, which targets share: ten scrapes in a row cost
half of what ten cost that each find cold caches.
"""

from typing import Final

TIMESTAMP_TOLERANCE_MS: Final = 2
LEAST_SLOTS: Final = 100
"""An interval has so many, so that none brings more than a small share of the scrapes."""
LONGEST_SLOT_MS: Final = 100
"""From one tenth of a second to the next the load is as even as without slots."""


def phase_ms(identity: int, seed: int, interval_ms: int) -> int:
    """Where in its interval a target is scraped. `seed` lets servers that scrape the same targets differ."""
    phase = (identity ^ seed) % interval_ms
    return phase - phase % slot_ms(interval_ms)


def slot_ms(interval_ms: int) -> int:
    """What phases are multiples of."""
    return max(1, min(interval_ms // LEAST_SLOTS, LONGEST_SLOT_MS))


def first_due_ms(now_ms: int, interval_ms: int, phase: int) -> int:
    """The first tick after now."""
    return now_ms + interval_ms - (now_ms - phase) % interval_ms


def next_due_ms(due_ms: int, interval_ms: int, now_ms: int) -> int:
    """The tick to serve after that of `due_ms`.

    After a stall it is the last of the missed ones, so that one scrape follows at once and the rest are
    skipped: a Go ticker keeps one tick for a slow reader.
    """
    return due_ms + max(1, (now_ms - due_ms) // interval_ms) * interval_ms


def sample_time_ms(due_ms: int, interval_ms: int, now_ms: int) -> int:
    """The timestamp of a scrape that starts now: its tick's, if it is on time to within a tolerance.

    Even spacing keeps rates smooth; upstream's ScrapeTimestampTolerance.
    """
    tolerance_ms = min(interval_ms / 100, TIMESTAMP_TOLERANCE_MS)
    return due_ms if now_ms - due_ms <= tolerance_ms else now_ms
