"""When scrapes fall due."""

from hypothesis import given
from hypothesis import strategies as st

from collector.schedule import first_due_ms, next_due_ms, phase_ms, sample_time_ms, slot_ms

INTERVALS = st.integers(1, 3_600_000)
TIMES = st.integers(0, 10**13)


@given(TIMES, INTERVALS, st.integers(0, 2**64), st.integers(0, 2**64))
def test_first_tick_is_within_an_interval_and_at_the_targets_phase(
    now_ms: int, interval_ms: int, identity: int, seed: int
) -> None:
    phase = phase_ms(identity, seed, interval_ms)
    due_ms = first_due_ms(now_ms, interval_ms, phase)
    assert now_ms < due_ms <= now_ms + interval_ms
    assert due_ms % interval_ms == phase


def test_seed_moves_the_phase() -> None:
    assert phase_ms(0b1100, 0, 16) == 12
    assert phase_ms(0b1100, 0b0101, 16) == 9


def test_phases_of_a_long_interval_are_a_tenth_of_a_second_apart() -> None:
    assert {phase_ms(identity, 0, 60_000) for identity in range(60_000)} == set(range(0, 60_000, 100))


def test_phases_of_a_short_interval_are_a_hundredth_of_it_apart() -> None:
    assert {phase_ms(identity, 0, 1_000) for identity in range(1_000)} == set(range(0, 1_000, 10))
    assert slot_ms(50) == 1


def test_next_tick_is_one_interval_on_while_scrapes_are_quick() -> None:
    assert next_due_ms(1_000, 100, now_ms=1_099) == 1_100


def test_tick_missed_by_a_slow_scrape_is_served_at_once() -> None:
    assert next_due_ms(1_000, 100, now_ms=1_130) == 1_100


def test_only_the_last_of_many_missed_ticks_is_served() -> None:
    assert next_due_ms(1_000, 100, now_ms=1_570) == 1_500


def test_scrape_within_two_milliseconds_of_its_tick_has_the_ticks_time() -> None:
    assert sample_time_ms(10_000, 15_000, now_ms=10_002) == 10_000
    assert sample_time_ms(10_000, 15_000, now_ms=10_003) == 10_003


def test_tolerance_is_at_most_one_percent_of_the_interval() -> None:
    assert sample_time_ms(1_000, 100, now_ms=1_001) == 1_000
    assert sample_time_ms(1_000, 100, now_ms=1_002) == 1_002
