"""Which work the event loop does itself."""

import time

import pytest

from miniprom.api.light import LightWork
from query import Control

CHEAP = 0.0001


def is_light(work: LightWork, key: str) -> bool:
    return work.attempt(key, lambda _: "done") == ("done",)


def test_work_that_was_never_done_is_not_light() -> None:
    assert not is_light(LightWork(), "a")


@pytest.mark.parametrize(("seconds", "expected"), [(0.002, True), (0.0021, False)])
def test_work_is_light_up_to_two_milliseconds(seconds: float, expected: bool) -> None:
    work = LightWork()
    work.done("a", seconds)
    assert is_light(work, "a") is expected


def test_newest_time_decides() -> None:
    work = LightWork()
    work.done("a", CHEAP)
    work.done("a", 0.1)
    assert not is_light(work, "a")


def test_light_work_may_give_nothing() -> None:
    work = LightWork()
    work.done("a", CHEAP)
    assert work.attempt("a", lambda _: None) == (None,)


def test_work_that_has_become_heavy_is_stopped() -> None:
    def heavy(control: Control) -> None:
        control.check()
        time.sleep(0.005)
        control.check()
        raise AssertionError("it was not stopped")

    work = LightWork()
    work.done("a", CHEAP)
    assert work.attempt("a", heavy) is None
    assert not is_light(work, "a")


def test_work_that_takes_longer_without_being_stopped_is_light_no_more() -> None:
    work = LightWork()
    work.done("a", CHEAP)
    assert work.attempt("a", lambda _: time.sleep(0.003)) == (None,)
    assert not is_light(work, "a")


def test_work_that_was_not_done_for_a_thousand_others_is_forgotten() -> None:
    work = LightWork()
    for number in range(1024):
        work.done(str(number), CHEAP)
    work.done("0", CHEAP)
    work.done("a", CHEAP)
    assert [is_light(work, key) for key in ("0", "1", "2")] == [True, False, True]
