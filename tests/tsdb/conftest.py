import pytest


@pytest.fixture
def short_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seal after few rows, so that short tests meet sealed blocks."""
    monkeypatch.setattr("tsdb.ring.HEAD_ROWS", 6)
    monkeypatch.setattr("tsdb.ring.OPEN_ROWS", 2)
    monkeypatch.setattr("tsdb.ring.BLOCK_ROWS", 12)
    monkeypatch.setattr("tsdb.ring.NARROW_COLUMNS", 2)
