"""`miniprom check WHAT`: finds the check and imports no other."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

_CHECKS: Final = {
    "config": ("miniprom.cli.check_config", "configuration files, and the rule files that they name"),
    "rules": ("miniprom.cli.check_rules", "rule files"),
    "metrics": ("miniprom.cli.check_metrics", "names and types of metrics, from standard input"),
    "service-discovery": ("miniprom.cli.check_service_discovery", "what a job discovers"),
}


def run(arguments: Sequence[str]) -> int:
    """The exit code of the check; 2 where there is no such check."""
    name, *rest = arguments or [""]
    if name in ("-h", "--help"):
        print(_help())
        return 0
    if name not in _CHECKS:
        problem = f'unknown check "{name}"' if name else "missing the name of a check"
        print(f"miniprom check: {problem}; expected one of {', '.join(_CHECKS)}", file=sys.stderr)
        return 2
    module, _ = _CHECKS[name]
    code: int = import_module(module).run(rest)
    return code


def _help() -> str:
    width = max(map(len, _CHECKS))
    lines = [f"  {name:{width}}  {text}" for name, (_, text) in _CHECKS.items()]
    return "\n".join(["usage: miniprom check WHAT --help", "", *lines])
