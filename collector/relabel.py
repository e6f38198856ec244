"""Relabelling: rules that rewrite a label set, or drop what it belongs to. Pure functions.

The semantics are those of upstream's model/relabel.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

import msgspec

from collector.errors import ConfigError
from collector.schema import Section
from tsdb.errors import RegexError
from tsdb.regex import compile_regex

NameScheme: TypeAlias = Literal["utf8", "legacy"]

DEFAULT_REGEX: Final = "(.*)"
DEFAULT_REPLACEMENT: Final = "$1"
DEFAULT_SEPARATOR: Final = ";"

_NEED_TARGET: Final = frozenset({"replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"})
_NO_REPLACEMENT: Final = frozenset({"lowercase", "uppercase", "keepequal", "dropequal"})

# What may stand beside `action`, for the actions that upstream restricts.
_ONLY_FIELDS: Final = {
    "dropequal": (frozenset({"source_labels", "target_label"}), "'source_labels' and `target_label`"),
    "keepequal": (frozenset({"source_labels", "target_label"}), "'source_labels' and `target_label`"),
    "labeldrop": (frozenset({"regex"}), "'regex'"),
    "labelkeep": (frozenset({"regex"}), "'regex'"),
}

_LEGACY_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
# A legacy name in which any part may be a variable, upstream's relabelTargetLegacy.
_LEGACY_TEMPLATE: Final = re.compile(r"(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+", re.ASCII)


class RelabelConfig(Section, frozen=True, kw_only=True):
    """One rule of `relabel_configs` or `metric_relabel_configs`."""

    source_labels: tuple[str, ...] = ()
    separator: str = DEFAULT_SEPARATOR
    regex: str = DEFAULT_REGEX
    modulus: int = 0
    target_label: str = ""
    replacement: str = DEFAULT_REPLACEMENT
    action: str = "replace"

    def __post_init__(self) -> None:
        action = self.action.lower()
        if not action:
            raise ConfigError("relabel action cannot be empty", key="action")
        if action not in ACTIONS:
            expected = ", ".join(ACTIONS)
            raise ConfigError(
                f'unknown relabel action "{self.action}", expected one of {expected}', key="action"
            )
        if "" in self.source_labels:
            raise ConfigError('"" is not a valid label name', key="source_labels")
        msgspec.structs.force_setattr(self, "action", action)
        compile_anchored(self.regex)
        self._check_fields()

    def _check_fields(self) -> None:
        action = self.action
        if self.modulus < 0:
            raise ConfigError(f"modulus must not be negative, got {self.modulus}", key="modulus")
        if action == "hashmod" and self.modulus == 0:
            raise ConfigError("relabel configuration for hashmod requires non-zero modulus", key="modulus")
        if action in _NEED_TARGET and not self.target_label:
            raise ConfigError(f"relabel configuration for {action} action requires 'target_label' value")
        if action in _NO_REPLACEMENT and self.replacement != DEFAULT_REPLACEMENT:
            raise ConfigError(f"'replacement' can not be set for {action} action", key="replacement")
        allowed, wording = _ONLY_FIELDS.get(action, (None, ""))
        if allowed is not None:
            for info in msgspec.structs.fields(self):
                if info.name not in allowed | {"action"} and getattr(self, info.name) != info.default:
                    message = f"{action} action requires only {wording}, and no other fields"
                    raise ConfigError(message, key=info.name)

    def check_names(self, scheme: NameScheme) -> None:
        """Raise `ConfigError` where a label to be written can't be a name under `scheme`."""
        if self.action in _NEED_TARGET and not self._is_valid_target(scheme):
            message = f"\"{self.target_label}\" is invalid 'target_label' for {self.action} action"
            raise ConfigError(message, key="target_label")
        if self.action == "labelmap" and not _is_name_template(self.replacement, scheme):
            message = f"\"{self.replacement}\" is invalid 'replacement' for labelmap action"
            raise ConfigError(message, key="replacement")

    def _is_valid_target(self, scheme: NameScheme) -> bool:
        if self.action == "replace" and "$" in self.target_label:
            return _is_name_template(self.target_label, scheme)
        return is_label_name(self.target_label, scheme)


def is_label_name(name: str, scheme: NameScheme) -> bool:
    """Whether `name` can be a label name: anything but "" in UTF-8, `[a-zA-Z_][a-zA-Z0-9_]*` in legacy."""
    return bool(name) if scheme == "utf8" else _LEGACY_NAME.fullmatch(name) is not None


def _is_name_template(template: str, scheme: NameScheme) -> bool:
    return bool(template) if scheme == "utf8" else _LEGACY_TEMPLATE.fullmatch(template) is not None


def compile_anchored(pattern: str) -> Any:
    """The RE2 of a rule: it matches whole values. Raises `ConfigError`."""
    try:
        return compile_regex(f"^(?:{pattern})$")
    except RegexError as error:
        raise ConfigError(f"invalid regular expression {pattern!r}: {error}", key="regex") from error


Template: TypeAlias = tuple[str | int, ...]
"""Text and group numbers, in turn; a variable that names no group stands for nothing and is left out."""


@dataclass(frozen=True)
class Rule:
    """A rule made ready to run."""

    source_labels: tuple[str, ...]
    separator: str
    regex: Any
    modulus: int
    target: Template
    replacement: Template
    scheme: NameScheme
    apply: "Action"


Action: TypeAlias = Callable[[Rule, dict[str, str], str], bool]
"""Rewrites the labels in place, given the joined source values; False drops the whole set."""


def compile_rules(configs: Iterable[RelabelConfig], scheme: NameScheme = "utf8") -> tuple[Rule, ...]:
    """The rules of a configuration, ready to run."""
    return tuple(_compiled(config, scheme) for config in configs)


def relabel(labels: Mapping[str, str], rules: Sequence[Rule]) -> dict[str, str] | None:
    """The labels after all rules in turn, or None if a rule drops them. Empty values are no labels."""
    result = {name: value for name, value in labels.items() if value}
    for rule in rules:
        joined = rule.separator.join([result.get(name, "") for name in rule.source_labels])
        if not rule.apply(rule, result, joined):
            return None
    return result


def relabel_steps(labels: Mapping[str, str], rules: Sequence[Rule]) -> list[dict[str, str] | None]:
    """The labels after each rule; None from the rule on that drops them."""
    steps: list[dict[str, str] | None] = []
    result: dict[str, str] | None = dict(labels)
    for rule in rules:
        result = None if result is None else relabel(result, (rule,))
        steps.append(result)
    return steps


@lru_cache(maxsize=1024)  # all targets of a job share its rules
def _compiled(config: RelabelConfig, scheme: NameScheme) -> Rule:
    regex = compile_anchored(config.regex)
    expands_target = config.action == "replace"
    return Rule(
        source_labels=config.source_labels,
        separator=config.separator,
        regex=regex,
        modulus=config.modulus,
        target=_template(config.target_label, regex) if expands_target else (config.target_label,),
        replacement=_template(config.replacement, regex),
        scheme=scheme,
        apply=ACTIONS[config.action],
    )


# Go's regexp.Expand: `$name` takes as many word characters as there are; `$$` is a dollar sign;
# a lone dollar sign stands for itself.
_VARIABLE: Final = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def _template(text: str, regex: Any) -> Template:
    parts: list[str | int] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        dollar, *names = match.groups()
        name = names[0] or names[1]
        if dollar:
            parts.append("$")
        elif name.isdecimal():
            if int(name) <= regex.groups:
                parts.append(int(name))
        elif name in regex.groupindex:
            parts.append(regex.groupindex[name])
    parts.append(text[end:])
    return tuple(part for part in parts if part != "")


def _expand(template: Template, match: Any) -> str:
    return "".join([part if isinstance(part, str) else match[part] or "" for part in template])


def _set(labels: dict[str, str], name: str, value: str) -> None:
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)


def _replace(rule: Rule, labels: dict[str, str], joined: str) -> bool:
    match = rule.regex.match(joined)
    if match:
        target = _expand(rule.target, match)
        if is_label_name(target, rule.scheme):
            _set(labels, target, _expand(rule.replacement, match))
    return True


def _keep(rule: Rule, _labels: dict[str, str], joined: str) -> bool:
    return rule.regex.match(joined) is not None


def _drop(rule: Rule, _labels: dict[str, str], joined: str) -> bool:
    return rule.regex.match(joined) is None


def _keep_equal(rule: Rule, labels: dict[str, str], joined: str) -> bool:
    return labels.get(_target(rule), "") == joined


def _drop_equal(rule: Rule, labels: dict[str, str], joined: str) -> bool:
    return labels.get(_target(rule), "") != joined


def _hash_mod(rule: Rule, labels: dict[str, str], joined: str) -> bool:
    digest = hashlib.md5(joined.encode(), usedforsecurity=False).digest()
    labels[_target(rule)] = str(int.from_bytes(digest[8:]) % rule.modulus)
    return True


def _label_map(rule: Rule, labels: dict[str, str], _joined: str) -> bool:
    for name, value in sorted(labels.items()):
        match = rule.regex.match(name)
        if match:
            _set(labels, _expand(rule.replacement, match), value)
    return True


def _label_drop(rule: Rule, labels: dict[str, str], _joined: str) -> bool:
    for name in [name for name in labels if rule.regex.match(name)]:
        del labels[name]
    return True


def _label_keep(rule: Rule, labels: dict[str, str], _joined: str) -> bool:
    for name in [name for name in labels if not rule.regex.match(name)]:
        del labels[name]
    return True


def _lowercase(rule: Rule, labels: dict[str, str], joined: str) -> bool:
    _set(labels, _target(rule), "".join(_one_rune(char.lower(), char) for char in joined))
    return True


def _uppercase(rule: Rule, labels: dict[str, str], joined: str) -> bool:
    _set(labels, _target(rule), "".join(_one_rune(char.upper(), char) for char in joined))
    return True


def _target(rule: Rule) -> str:
    """The target label of an action that expands no variables in it."""
    return str(rule.target[0])


def _one_rune(mapped: str, original: str) -> str:
    """Go maps case rune by rune: what Python would make two characters of (ß) stays as it is."""
    return mapped if len(mapped) == 1 else original


ACTIONS: Final[dict[str, Action]] = {
    "replace": _replace,
    "keep": _keep,
    "drop": _drop,
    "hashmod": _hash_mod,
    "labelmap": _label_map,
    "labeldrop": _label_drop,
    "labelkeep": _label_keep,
    "lowercase": _lowercase,
    "uppercase": _uppercase,
    "keepequal": _keep_equal,
    "dropequal": _drop_equal,
}
