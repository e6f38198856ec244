"""The command line: `miniprom` serves; `miniprom query|test|simulate ...` are tools."""

from miniprom.cli.main import main

__all__ = ["main"]
