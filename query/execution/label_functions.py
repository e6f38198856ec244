"""`label_replace` and `label_join`, as upstream's promql/functions.go: evalLabelReplace, evalLabelJoin."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from query.execution.context import EvalContext
from query.execution.errors import EvaluationError
from query.execution.math_functions import InstantFunction
from query.execution.names import merge_equal_series
from query.execution.values import String, Value, Vector
from query.language.ast import Call
from tsdb import METRIC_NAME
from tsdb.errors import RegexError
from tsdb.regex import compile_regex
from tsdb.sample import BoolArray, CodeArray

_REFERENCE: Final = re.compile(r"\$(?:(?P<dollar>\$)|(?P<bare>\w+)|\{(?P<braced>\w+)\})")
"""`$$`, `$name` and `${name}`, as Go's regexp.Expand reads a template."""
_GROUP_NUMBER: Final = re.compile("0|[1-9][0-9]{0,8}")


def _label_replace(_node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    vector, (target, template, source, pattern) = _vector_and_texts(args)
    regex = _compiled(pattern)
    if not is_label_name(target):
        raise EvaluationError(f"invalid destination label name in label_replace(): {target}")
    codes, index = np.unique(vector.labels.codes(source), return_inverse=True)
    matches = [regex.fullmatch(value) for value in vector.labels.scope.decode(source, codes)]
    parts = _template_parts(template, regex)
    texts = _built((_expanded(parts, match) if match else "" for match in matches), context)
    matched = np.array([match is not None for match in matches], dtype=np.bool_)[index]
    replaced = vector.labels.scope.encode_all(target, texts)[index]
    return _with_label(vector, target, np.where(matched, replaced, vector.labels.codes(target)), matched)


def _label_join(_node: Call, args: Sequence[Value], context: EvalContext) -> Value:
    vector, (target, separator, *sources) = _vector_and_texts(args)
    for source in sources:
        if not is_label_name(source):
            raise EvaluationError(f"invalid source label name in label_join(): {source}")
    if not is_label_name(target):
        raise EvaluationError(f"invalid destination label name in label_join(): {target}")
    groups = vector.labels.keep(sources).group()
    distinct = vector.labels.take(groups.first)
    columns = [distinct.values(name) for name in sources]
    rows = zip(*columns, strict=True) if columns else [()] * groups.count
    texts = _built((separator.join(row) for row in rows), context)
    codes = vector.labels.scope.encode_all(target, texts)[groups.ids]
    return _with_label(vector, target, codes, np.ones(vector.labels.size, dtype=np.bool_))


LABEL_FUNCTIONS: Final[Mapping[str, InstantFunction]] = {
    "label_join": _label_join,
    "label_replace": _label_replace,
}


def is_label_name(name: str) -> bool:
    """Any text but none at all; string literals have U+FFFD in place of bytes that are no UTF-8."""
    return bool(name) and "\N{REPLACEMENT CHARACTER}" not in name


def _built(texts: Iterable[str], context: EvalContext) -> list[str]:
    """The texts. Raises `EvaluationError` as soon as the query has built too many."""
    built = []
    for text in texts:
        context.check()
        context.budget.reserve_text(len(text))
        built.append(text)
    return built


def _vector_and_texts(args: Sequence[Value]) -> tuple[Vector, list[str]]:
    vector = args[0]
    assert isinstance(vector, Vector)
    return vector, [arg.text for arg in args[1:] if isinstance(arg, String)]


def _compiled(pattern: str) -> Any:
    """A regular expression of RE2, fully anchored, `.` including newlines."""
    try:
        return compile_regex(pattern)
    except RegexError as error:
        raise EvaluationError(f"invalid regular expression in label_replace(): {pattern}") from error


def _template_parts(template: str, regex: Any) -> list[str | int]:
    """A template as literal text, and the numbers of groups; one that does not exist is empty."""
    parts: list[str | int] = []
    end = 0
    for reference in _REFERENCE.finditer(template):
        parts.append(template[end : reference.start()])
        end = reference.end()
        name = reference["bare"] or reference["braced"]
        if reference["dollar"]:
            parts.append("$")
            continue
        group = int(name) if _GROUP_NUMBER.fullmatch(name) else regex.groupindex.get(name, -1)
        if 0 <= group <= regex.groups:
            parts.append(group)
    return [part for part in (*parts, template[end:]) if part != ""]


def _expanded(parts: Sequence[str | int], match: Any) -> str:
    groups = [match.group(), *match.groups("")]
    return "".join([part if isinstance(part, str) else groups[part] for part in parts])


def _with_label(vector: Vector, name: str, codes: CodeArray, changed: BoolArray) -> Vector:
    """The vector with a label set; a metric name that was set is there to stay."""
    drop_name = vector.drop_name
    if name == METRIC_NAME and drop_name is not None:
        drop_name = drop_name & ~changed
    return merge_equal_series(
        replace(vector, labels=vector.labels.with_codes(name, codes), drop_name=drop_name)
    )
