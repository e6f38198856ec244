"""Rule files: from YAML to checked groups. Source: upstream's model/rulefmt."""

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from collector.relabel import NameScheme, is_label_name
from collector.schema import DurationMs, Section
from miniprom.config import ConfigFileError
from miniprom.config.decode import Decoder
from miniprom.config.load import decode_text, read_text
from miniprom.rules.errors import RuleFileError
from miniprom.rules.model import AlertingRule, RecordingRule, Rule, RuleGroup, sorted_pairs
from miniprom.rules.states import Timing
from miniprom.rules.templating import template_problem
from query import ParseError, ParserOptions, parse
from query.language.ast import Expr, NumberLiteral
from query.language.parser import UPSTREAM_DEFAULTS
from tsdb import METRIC_NAME

_LEGACY_METRIC_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_NOTHING: Final = NumberLiteral(0.0)


class RuleSection(Section, frozen=True, kw_only=True):
    """A recording or an alerting rule, as written."""

    record: str = ""
    alert: str = ""
    expr: str = ""
    hold_ms: DurationMs = msgspec.field(default=0, name="for")
    keep_firing_ms: DurationMs = msgspec.field(default=0, name="keep_firing_for")
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class GroupSection(Section, frozen=True, kw_only=True):
    """A group, as written."""

    name: str = ""
    interval_ms: DurationMs = msgspec.field(default=0, name="interval")
    query_offset_ms: DurationMs | None = msgspec.field(default=None, name="query_offset")
    limit: int = 0
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    rules: tuple[RuleSection, ...] = ()


class RuleFile(Section, frozen=True, kw_only=True):
    """A whole rule file."""

    groups: tuple[GroupSection, ...] = ()


@dataclass(frozen=True)
class RuleFileOptions:
    """How rule files are read. `interval_ms` is that of groups without one."""

    interval_ms: int = 60_000
    parser: ParserOptions = UPSTREAM_DEFAULTS
    name_scheme: NameScheme = "utf8"
    ignore_unknown_keys: bool = False


def matching_files(patterns: Iterable[str]) -> tuple[list[str], list[str]]:
    """The files that patterns name, and the patterns that name none."""
    files: dict[str, None] = {}
    unmatched = []
    for pattern in patterns:
        found = sorted(glob.glob(pattern))
        files.update(dict.fromkeys(found))
        if not found:
            unmatched.append(pattern)
    return list(files), unmatched


def load_rule_files(
    files: Sequence[str], options: RuleFileOptions = RuleFileOptions()
) -> tuple[RuleGroup, ...]:
    """The groups of all files. Raises `RuleFileError` with every fault that was found."""
    groups: list[RuleGroup] = []
    problems: list[str] = []
    for file in files:
        try:
            groups += parse_rule_file(read_text(file), file, options)
        except RuleFileError as error:
            problems += error.problems
        except ConfigFileError as error:
            problems.append(str(error))
    if problems:
        raise RuleFileError(problems)
    return tuple(groups)


def parse_rule_file(
    text: str, file_name: str, options: RuleFileOptions = RuleFileOptions()
) -> tuple[RuleGroup, ...]:
    """The groups of one file's text. Raises `RuleFileError`."""
    return decoded_groups(lambda decoder: decode_text(text, RuleFile, decoder, file_name), file_name, options)


def decoded_groups(
    decode: Callable[[Decoder], RuleFile], file_name: str, options: RuleFileOptions
) -> tuple[RuleGroup, ...]:
    """The groups of what `decode` reads. Raises `RuleFileError`."""
    decoder = Decoder(file_name, os.path.dirname(file_name), ignore_unknown_keys=options.ignore_unknown_keys)
    try:
        sections = decode(decoder).groups
    except ConfigFileError as error:
        raise RuleFileError([str(error)]) from error
    reader = _Reader(file_name, decoder, options)
    groups = [reader.group(section, position) for position, section in enumerate(sections)]
    reader.check_group_names(sections)
    if reader.problems:
        raise RuleFileError([text for _, text in sorted(reader.problems, key=lambda problem: problem[0])])
    return tuple(groups)


class _Reader:
    """Turns sections into groups, and gathers what is wrong with them as (line, text)."""

    def __init__(self, file_name: str, decoder: Decoder, options: RuleFileOptions) -> None:
        self.problems: list[tuple[int, str]] = []
        self._file_name = file_name
        self._decoder = decoder
        self._options = options

    def check_group_names(self, sections: Sequence[GroupSection]) -> None:
        seen: dict[str, int] = {}
        for position, section in enumerate(sections):
            path = f"groups[{position}]"
            if not section.name:
                self._problem(path, None, "a group needs a name")
            elif section.name in seen:
                self._problem(
                    path, "name", f'group "{section.name}" is already defined on line {seen[section.name]}'
                )
            seen.setdefault(section.name, self._decoder.line_of(path, "name"))

    def group(self, section: GroupSection, position: int) -> RuleGroup:
        path = f"groups[{position}]"
        for problem in self._label_problems(section.labels):
            self._problem(path, "labels", f'group "{section.name}": {problem}')
        return RuleGroup(
            self._file_name,
            section.name,
            section.interval_ms or self._options.interval_ms,
            tuple(
                self._rule(rule, section, f"{path}.rules[{number}]", number)
                for number, rule in enumerate(section.rules)
            ),
            section.limit,
            section.query_offset_ms,
        )

    def _rule(self, section: RuleSection, group: GroupSection, path: str, number: int) -> Rule:
        who = f'group "{group.name}", rule {number + 1}, "{section.alert or section.record}"'
        for key, problem in self._rule_problems(section):
            self._problem(path, key, f"{who}: {problem}")
        labels = sorted_pairs({**group.labels, **section.labels})
        expr, line = self._expr(section, path, who), self._decoder.line_of(path)
        if section.alert:
            annotations = sorted_pairs(section.annotations)
            timing = Timing(section.hold_ms, section.keep_firing_ms)
            return AlertingRule(section.alert, expr, labels, annotations, timing, line)
        return RecordingRule(section.record, expr, labels, line)

    def _expr(self, section: RuleSection, path: str, who: str) -> Expr:
        if not section.expr:
            self._problem(path, "expr", f"{who}: expr must be set")
            return _NOTHING
        try:
            return parse(section.expr, self._options.parser)
        except ParseError as error:
            self._problem(path, "expr", f"{who}: could not parse expression: {error.drawing}")
            return _NOTHING

    def _rule_problems(self, section: RuleSection) -> Iterator[tuple[str | None, str]]:
        """The faults of a rule but for its expression, each with the key to blame."""
        if section.record and section.alert:
            yield "alert", "only one of record and alert must be set"
        elif section.record:
            yield from self._recording_problems(section)
        elif not section.alert:
            yield None, "one of record and alert must be set"
        for problem in self._label_problems(section.labels):
            yield "labels", problem
        for name in section.annotations:
            if not is_label_name(name, self._options.name_scheme):
                yield "annotations", f'invalid annotation name: "{name}"'
        if section.alert:
            for key, texts in (("labels", section.labels), ("annotations", section.annotations)):
                for name, text in texts.items():
                    if problem := template_problem(text):
                        yield key, f'{key.removesuffix("s")} "{name}": {problem}'

    def _recording_problems(self, section: RuleSection) -> Iterator[tuple[str, str]]:
        for key, value in (
            ("annotations", section.annotations),
            ("for", section.hold_ms),
            ("keep_firing_for", section.keep_firing_ms),
        ):
            if value:
                yield key, f'"{key}" is for alerts; a recording rule has none'
        name = section.record
        if self._options.name_scheme == "legacy" and not _LEGACY_METRIC_NAME.fullmatch(name):
            yield "record", f'invalid name: "{name}"'
        elif "{" in name or "}" in name:
            yield "record", f'braces in the name "{name}"; do they belong into expr?'

    def _label_problems(self, labels: Mapping[str, str]) -> Iterator[str]:
        for name in labels:
            if not is_label_name(name, self._options.name_scheme) or name == METRIC_NAME:
                yield f'invalid label name: "{name}"'

    def _problem(self, path: str, key: str | None, text: str) -> None:
        line = self._decoder.line_of(path, key)
        self.problems.append((line, f"{self._file_name}:{line}: {text}"))
