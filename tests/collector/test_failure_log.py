"""`scrape_failure_log_file`: who writes what into which file."""

import json
import logging
from pathlib import Path

import pytest

from collector.errors import ScrapeError
from collector.failure_log import FailureLog
from tests.collector.scraping import job
from tests.collector.test_scrape import START_MS, URL, World, run


def test_scrape_that_brings_no_body_is_written_to_the_file_of_its_job(tmp_path: Path) -> None:
    log = tmp_path / "failures.json"

    async def story(world: World) -> None:
        world.targets.bodies[URL] = ScrapeError("server returned HTTP status 500 Internal Server Error")
        world.targets.bodies["http://b:1/metrics"] = ScrapeError("not written")
        await world.manager.apply([job("a", scrape_failure_log_file=str(log)), job("b", ["b:1"])])
        await world.clock.advance(10_000)

    run(story)
    [line] = map(json.loads, log.read_text().splitlines())
    assert line.pop("time").startswith("1970-01-01T00:16:4")
    assert line == {
        "level": "ERROR",
        "msg": "server returned HTTP status 500 Internal Server Error",
        "job_name": "a",
        "target": URL,
    }


def test_body_that_cannot_be_read_is_not_written(tmp_path: Path) -> None:
    """As upstream has it: the target answered."""
    log = tmp_path / "failures.json"

    async def story(world: World) -> None:
        world.targets.bodies[URL] = "no metrics"
        await world.manager.apply([job("a", scrape_failure_log_file=str(log))])
        await world.clock.advance(10_000)

    run(story)
    assert log.read_text() == ""


def test_time_is_written_to_the_millisecond(tmp_path: Path) -> None:
    failures = FailureLog()
    failures.use([str(tmp_path / "f")])
    failures.write(str(tmp_path / "f"), "x", 1_435_781_451_781, job_name="j", target="t")
    assert json.loads((tmp_path / "f").read_text())["time"] == "2015-07-01T20:10:51.781Z"
    failures.use([])


def test_file_that_was_moved_away_is_made_anew_when_jobs_are_applied(tmp_path: Path) -> None:
    log, moved = tmp_path / "f", tmp_path / "f.1"
    failures = FailureLog()
    failures.use([str(log)])
    log.rename(moved)
    failures.use([str(log)])
    failures.write(str(log), "x", START_MS, job_name="j", target="t")
    assert (moved.read_text(), len(log.read_text().splitlines())) == ("", 1)
    failures.use([])


def test_file_that_cannot_be_written_is_told_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failures = FailureLog()
    with caplog.at_level(logging.ERROR):
        failures.use([str(tmp_path / "none" / "f")])
    assert "Can't write scrape_failure_log_file" in caplog.text
    failures.write(str(tmp_path / "none" / "f"), "x", START_MS, job_name="j", target="t")
