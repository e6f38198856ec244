"""The benchmark of many targets measures what it says."""

from benchmarks.programs import MINIPROM
from benchmarks.targets import Load, measure


def test_every_target_is_scraped() -> None:
    figures = measure(MINIPROM, Load(targets=10, series=20, interval_seconds=1, seconds=3.0))
    assert figures.scrapes >= 20
    assert figures.cpu_seconds_per_million > 0
    assert figures.rss_bytes > 1 << 20
