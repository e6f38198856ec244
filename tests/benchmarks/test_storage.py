"""The targets that don't depend on the machine: bytes in the store."""

from benchmarks.storage import filled_store, flux_store, mixed


def test_flux_data_takes_at_most_a_byte_and_a_half_a_sealed_sample() -> None:
    assert flux_store(20, rows=100).bytes_per_sealed_sample < 1.5


def test_mixed_series_take_less_than_a_kilobyte_in_two_hours() -> None:
    assert filled_store(mixed(4000, end_ms=10**9, rows=480, interval_ms=15_000)).bytes_per_series < 1000
