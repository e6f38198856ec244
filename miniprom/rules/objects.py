"""PrometheusRule objects of the Prometheus Operator as rule groups."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from yaml.representer import SafeRepresenter

from miniprom.rules.errors import RuleFileError
from miniprom.rules.files import RuleFile, RuleFileOptions, decoded_groups
from miniprom.rules.model import RuleGroup

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Read:
    """What was made of an object; None is one with a fault."""

    spec: Mapping[str, Any]
    options: RuleFileOptions
    groups: tuple[RuleGroup, ...] | None


class RuleObjects:
    """Reads objects anew only when they change. One with a fault is left out, and the log says why."""

    def __init__(self) -> None:
        self._read: dict[str, _Read] = {}

    def groups(self, specs: Mapping[str, Mapping[str, Any]], options: RuleFileOptions) -> list[RuleGroup]:
        """The groups of all objects, given by `namespace/name`, which is their file's name."""
        read = {}
        for key, spec in specs.items():
            old = self._read.get(key)
            is_same = old is not None and (old.spec, old.options) == (spec, options)
            read[key] = old if old and is_same else _Read(spec, options, _groups(key, spec, options))
        self._read = read
        return [group for each in read.values() for group in each.groups or ()]

    def count(self, *, is_rejected: bool) -> int:
        """How many objects have a fault, or have none."""
        return sum((read.groups is None) == is_rejected for read in self._read.values())


def _groups(key: str, spec: Mapping[str, Any], options: RuleFileOptions) -> tuple[RuleGroup, ...] | None:
    node = SafeRepresenter().represent_data(spec)
    options = replace(options, ignore_unknown_keys=True)  # some are for Thanos alone
    try:
        return decoded_groups(lambda decoder: decoder.decode(node, RuleFile, ""), key, options)
    except RuleFileError as error:
        for problem in error.problems:
            reason = problem.removeprefix(f"{key}:1: ")  # there are no lines
            _log.warning("Skipping a PrometheusRule", extra={"object": key, "err": reason})
        return None
