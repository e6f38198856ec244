"""What a fake begins with, read from files."""

from pathlib import Path
from typing import Any

import msgspec

from miniprom.config import load_config
from miniprom.config.load import read_text
from miniprom.fake.errors import FakeError
from miniprom.fake.loading import read_load
from miniprom.fake.world import World
from miniprom.recording.file import FORMAT
from miniprom.rules.files import matching_files

_GZIP_MAGIC = b"\x1f\x8b"


async def configure_from(world: World, path: str) -> None:
    """Work by a `prometheus.yml` and the rule files that it names. Raises `ConfigFileError`, `FakeError`."""
    files, _ = matching_files(load_config(path).rule_files)
    await world.configure(read_text(path), {file: read_text(file) for file in files})


def load_from(world: World, path: str) -> None:
    """Load a recording, the JSON of a request to load, a test script, or OpenMetrics. Raises `FakeError`."""
    try:
        content = Path(path).read_bytes()
        world.load(read_load(_body(path, content), world.now_ms))
    except OSError as error:
        raise FakeError(f"{path}: {error.strerror}") from error
    except (FakeError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FakeError(f"{path}: {error}") from error


def _body(path: str, content: bytes) -> dict[str, Any]:
    if content.startswith(_GZIP_MAGIC):
        return {"recording": content, "move_to": "now"}
    if path.endswith(".json"):
        body: dict[str, Any] = msgspec.json.decode(content)
        is_recording = isinstance(body, dict) and body.get("format") == FORMAT
        return {"recording": body, "move_to": "now"} if is_recording else body
    return {"script" if path.endswith(".test") else "openmetrics": content.decode()}
