"""`miniprom tsdb dump` and `import`."""

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from miniprom.cli.main import main
from tests.end_to_end.programs import miniprom, program, query
from tests.tsdb.logging_to import killed, opened, put
from tsdb import ABSENT, STALE, labels_from
from tsdb.histogram import FloatHistogram

TEXT = """\
http_requests_total{code="200",path="/a\\\\b \\"c\\"\\n"} 5 1700000000.123
http_requests_total{code="200",path="/a\\\\b \\"c\\"\\n"} 6.5 1700000015.123
latency_bucket{le="+Inf"} 1e+30 1700000000.000
up NaN 1700000000.000
up -Inf 1700000001.000
{"a.b",job="ü"} 0 1700000000.000
# EOF
"""


def test_what_was_imported_is_dumped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, folder = tmp_path / "samples.txt", tmp_path / "data"
    file.write_text(TEXT)
    assert main(["tsdb", "import", str(file), str(folder)]) == 0
    assert capsys.readouterr().out == "imported 6 samples of 4 series\n"
    assert main(["tsdb", "dump", str(folder)]) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(TEXT.splitlines())


def test_import_goes_between_the_samples_of_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = opened(tmp_path / "data")
    put(store, "a", (1000, 1.0), (3000, 3.0))
    killed(store)
    (tmp_path / "samples.txt").write_text("a 2 2\na 9 3\n# EOF\n")
    main(["tsdb", "import", str(tmp_path / "samples.txt"), str(tmp_path / "data")])
    capsys.readouterr()
    main(["tsdb", "dump", str(tmp_path / "data")])
    assert capsys.readouterr().out == "a 1 1.000\na 2 2.000\na 3 3.000\n# EOF\n"


def test_stale_markers_and_histograms_have_no_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = opened(tmp_path / "data")
    ids = store.series_ids([labels_from({"__name__": name}) for name in "ab"])
    store.append_matrix(ids, np.array([1000, 2000]), np.array([[1.0, ABSENT], [STALE, 2.0]]))
    (series_id,) = store.series_ids([labels_from({"__name__": "h"})]).tolist()
    store.append_histograms(series_id, [1000], [FloatHistogram(count=1)])
    killed(store)
    main(["tsdb", "dump", str(tmp_path / "data")])
    out, err = capsys.readouterr()
    assert out == "a 1 1.000\nb 2 2.000\n# EOF\n"
    assert err == "warning: left out 1 series of native histograms\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("up 1\n# EOF\n", "expected a timestamp for each sample, up has none"),
        ("up 1 1\n", "EOF"),
        ("up{ 1 1\n# EOF\n", "line 1, column 4: expected"),
    ],
)
def test_text_that_cannot_be_imported_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (tmp_path / "samples.txt").write_text(text)
    assert main(["tsdb", "import", str(tmp_path / "samples.txt"), str(tmp_path / "data")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_folder_in_use_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "samples.txt").write_text("up 1 1\n# EOF\n")
    opened(tmp_path / "data")
    assert main(["tsdb", "import", str(tmp_path / "samples.txt"), str(tmp_path / "data")]) == 1
    assert f"in use by process {os.getpid()}" in capsys.readouterr().err


def test_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tsdb", "dump", str(tmp_path / "nothing")]) == 1
    assert "nothing" in capsys.readouterr().err


def test_running_server_is_filled_and_dumped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = int(time.time())
    text = f"a_total 1 {now - 100}.500\na_total 2 {now - 50}.000\n# EOF\n"
    (tmp_path / "samples.txt").write_text(text)
    with miniprom("{}", tmp_path, "--web.enable-admin-api") as (url, _):
        assert main(["tsdb", "import", str(tmp_path / "samples.txt"), url]) == 0
        assert capsys.readouterr().out == "imported 2 samples of 1 series\n"
        assert query(url, "a_total")[0]["value"][1] == "2"
        assert main(["tsdb", "dump", url]) == 0
        assert capsys.readouterr().out == text


@pytest.mark.peer
def test_promtool_makes_blocks_of_a_dump(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    promtool = program("promtool")
    store = opened(tmp_path / "data")
    put(store, "a_total", *[(1_700_000_000_123 + 15_000 * n, n / 8) for n in range(20)])
    put(store, "b", (1_700_000_000_000, float("nan")), (1_700_000_300_000, float("inf")))
    killed(store)
    main(["tsdb", "dump", str(tmp_path / "data")])
    dump = tmp_path / "dump.txt"
    dump.write_text(capsys.readouterr().out)
    blocks = tmp_path / "blocks"
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(dump), str(blocks)]
    subprocess.run(command, check=True, capture_output=True)
    (blocks / "wal").mkdir()  # promtool looks for one
    listed = subprocess.run(
        [promtool, "tsdb", "dump", str(blocks)], check=True, capture_output=True, text=True
    )
    lines = listed.stdout.splitlines()
    assert len(lines) == 22
    assert '{__name__="a_total"} 2.375 1700000285123' in lines
