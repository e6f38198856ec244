"""A process that writes is killed at any moment: what it acknowledged is there, and nothing else.

`MINIPROM_KILLS=200 pytest tests/tsdb/test_crashes.py` kills as often as that.
"""

import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

from tests.tsdb.crashing import SERIES, Model, Step
from tests.tsdb.reading import everything, samples_of
from tsdb import Store
from tsdb.disk import Disk
from tsdb.wal import load

KILLS = int(os.environ.get("MINIPROM_KILLS", "20"))
LIVES_OF_A_FOLDER = 10
SEED = int(os.environ.get("MINIPROM_SEED", "1"))


def lived(folder: Path, seed: int, life: int, seconds: float) -> int:
    """Let a child live for some time and kill it; how many steps it acknowledged."""
    command = [sys.executable, "-m", "tests.tsdb.crashing", str(folder), str(seed), str(life)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as child:
        assert child.stdout
        told = os.read(child.stdout.fileno(), 1)
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        told += child.stdout.read()
        assert child.wait() == -signal.SIGKILL, "the child died by itself"
    return told.count(b"\n")


def found_in(folder: Path) -> Model:
    store = Store(retention_ms=None)
    load(Disk(), folder, store)
    selection = everything(store.snapshot(0))
    number_of = {labels: number for number, labels in enumerate(SERIES)}
    found: Model = {}
    for labels, samples in samples_of(selection).items():
        found[number_of[labels]] = {time_ms: as_float(bits) for time_ms, bits in samples}
    series = selection.labels.series()
    for histograms in selection.histograms:
        model = found.setdefault(number_of[series[histograms.position]], {})
        for time_ms, histogram in zip(histograms.timestamps_ms.tolist(), histograms.histograms, strict=True):
            model[time_ms] = -histogram.count
    return found


def as_float(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def samples(model: Model) -> set[tuple[int, int, float]]:
    return {(member, time, value) for member, held in model.items() for time, value in held.items()}


def test_acknowledged_samples_survive_kills_and_no_others_appear(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    steps = 0
    for kill in range(KILLS):
        life = kill % LIVES_OF_A_FOLDER
        if life == 0:
            folder, certain = tmp_path / str(kill), dict[int, dict[int, float]]()
        acknowledged = lived(folder, SEED + kill, life, chance.random() ** 2 * 0.2)
        steps += acknowledged
        for number in range(acknowledged):
            Step(SEED + kill, life, number).apply(certain)
        possible = {member: dict(held) for member, held in certain.items()}
        Step(SEED + kill, life, acknowledged).apply(possible)
        found = samples(found_in(folder))
        lost = (samples(certain) & samples(possible)) - found
        invented = found - (samples(certain) | samples(possible))
        assert not lost, f"kill {kill}: lost after {acknowledged} steps: {sorted(lost)[:5]}"
        assert not invented, f"kill {kill}: invented after {acknowledged} steps: {sorted(invented)[:5]}"
        certain = found_in(folder)
    assert steps > KILLS
