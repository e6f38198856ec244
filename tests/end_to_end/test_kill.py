"""The whole server, killed while remote writes come in.

`MINIPROM_KILLS=200 pytest tests/end_to_end/test_kill.py` kills as often as that.
"""

import json
import os
import random
import signal
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.end_to_end.programs import fetch, miniprom
from tests.miniprom.remote_write.messages import encode, packed

KILLS = max(int(os.environ.get("MINIPROM_KILLS", "20")) // 10, 2)
SERIES = 10

Sent = set[tuple[str, int, str]]
"""Series, time in milliseconds, value as text."""


def write_until_it_breaks(url: str, first_ms: int, chance: random.Random) -> tuple[Sent, Sent]:
    """Send request after request; what was acknowledged, and the request that was not."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=5)
    acknowledged: Sent = set()
    time_ms = first_ms
    while True:
        time_ms += 1
        values = {f"s{number}": chance.randrange(3) for number in range(chance.randrange(1, SERIES))}
        request = {(name, time_ms, str(value)) for name, value in values.items()}
        series = [({"__name__": name}, [(time_ms, float(value))]) for name, value in values.items()]
        headers = {"Content-Type": "application/x-protobuf"}
        try:
            connection.request("POST", "/api/v1/write", packed(encode(series)), headers)
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException):
            return acknowledged, request
        assert response.status == 204
        acknowledged |= request


def stored(url: str) -> Sent:
    parameters = urlencode({"query": '{__name__=~"s[0-9]"}[1h]'})
    result = json.loads(fetch(f"{url}/api/v1/query?{parameters}"))["data"]["result"]
    return {
        (series["metric"]["__name__"], round(seconds * 1000), value)
        for series in result
        for seconds, value in series["values"]
    }


@pytest.mark.parametrize("policy", ["always", "never"])
def test_acknowledged_writes_survive_kills_of_the_server(tmp_path: Path, policy: str) -> None:
    chance = random.Random(policy)
    flags = ["--web.enable-remote-write-receiver", f"--storage.wal.sync={policy}", "--storage.tsdb.path=data"]
    base_ms = int(time.time() * 1000) - 600_000
    certain: Sent = set()
    perhaps: Sent = set()
    for kill in range(KILLS):
        with miniprom("{}", tmp_path, *flags) as (url, process):
            found = stored(url)
            assert certain <= found <= certain | perhaps
            certain = found
            timer = threading.Timer(0.05 + chance.random() / 4, process.send_signal, [signal.SIGKILL])
            timer.start()
            acknowledged, perhaps = write_until_it_breaks(url, base_ms + kill * 10_000, chance)
            timer.join()
            assert acknowledged
            certain |= acknowledged
    with miniprom("{}", tmp_path, *flags) as (url, _):
        assert certain <= stored(url) <= certain | perhaps
