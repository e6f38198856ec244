"""The functions of Go's text/template. Source: text/template/funcs.go. `and` and `or` are the executor's."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote_plus

from miniprom.templates.errors import FunctionError
from miniprom.templates.formatting import show, sprint, sprintf
from miniprom.templates.signature import Signature
from miniprom.templates.values import StringMap, is_true, type_name

_HTML: Final = str.maketrans(
    {'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;", "\0": "\ufffd"}
)
_JS: Final[Mapping[str, str]] = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D",
}  # fmt: skip
_BASIC: Final = (bool, str, float, int)


def _kind(value: Any) -> type | None:
    """What Go compares: bool, string, float or int; None for everything else."""
    return next((kind for kind in _BASIC if isinstance(value, kind)), None)


def _equal(first: Any, *others: Any) -> bool:
    if not others:
        raise FunctionError("missing argument for comparison")
    kind = _kind(first)
    for other in others:
        if kind is not _kind(other):
            if first is not None and other is not None:
                raise FunctionError("incompatible types for comparison")
        elif kind is None and first is not None and other is not None:
            if isinstance(first, dict | tuple):
                raise FunctionError(f"non-comparable type {show(first)}: {type_name(first)}")
            if first is other:
                return True
        elif first == other:
            return True
    return False


def _not_equal(first: Any, second: Any) -> bool:
    return not _equal(first, second)


def _less(first: Any, second: Any) -> bool:
    kind = _kind(first)
    if kind is None or _kind(second) is None or (kind is bool and _kind(second) is bool):
        raise FunctionError("invalid type for comparison")
    if kind is not _kind(second):
        raise FunctionError("incompatible types for comparison")
    return bool(first < second)


def _less_or_equal(first: Any, second: Any) -> bool:
    return _less(first, second) or _equal(first, second)


def _greater(first: Any, second: Any) -> bool:
    return not _less_or_equal(first, second)


def _greater_or_equal(first: Any, second: Any) -> bool:
    return not _less(first, second)


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode(errors="surrogatepass"))
    if isinstance(value, dict | tuple):
        return len(value)
    raise FunctionError("len of nil pointer" if value is None else f"len of type {type_name(value)}")


def _index(item: Any, *indexes: Any) -> Any:
    for index in indexes:
        if item is None:
            raise FunctionError("index of untyped nil")
        if isinstance(item, dict):
            if not isinstance(index, str):
                raise FunctionError(f"value has type {type_name(index)}; should be string")
            item = item.get(index, "" if isinstance(item, StringMap) else None)
        elif isinstance(item, tuple):
            item = item[_position(index, len(item) - 1)]
        elif isinstance(item, str):
            encoded = item.encode(errors="surrogatepass")
            item = encoded[_position(index, len(encoded) - 1)]
        else:
            raise FunctionError(f"can't index item of type {type_name(item)}")
    return item


def _slice(item: Any, *indexes: Any) -> Any:
    if not isinstance(item, str | tuple):
        what = "slice of untyped nil" if item is None else f"can't slice item of type {type_name(item)}"
        raise FunctionError(what)
    if len(indexes) > 2:
        raise FunctionError("cannot 3-index slice a string" if isinstance(item, str) else "too many indexes")
    whole = item.encode(errors="surrogatepass") if isinstance(item, str) else item
    bounds = [_position(index, len(whole)) for index in indexes]
    start, stop = (*bounds, *(0, len(whole))[len(bounds) :])
    if start > stop:
        raise FunctionError(f"invalid slice index: {start} > {stop}")
    part = whole[start:stop]
    return part.decode(errors="replace") if isinstance(part, bytes) else part


def _position(index: Any, most: int) -> int:
    if isinstance(index, bool) or not isinstance(index, int):
        shown = "nil" if index is None else f"type {type_name(index)}"
        raise FunctionError(f"cannot index slice/array with {shown}")
    if not 0 <= index <= most:
        raise FunctionError(f"index out of range: {index}")
    return index


def _print(*values: Any) -> str:
    return sprint(values)


def _println(*values: Any) -> str:
    return " ".join(map(show, values)) + "\n"


def _printf(layout: str, *values: Any) -> str:
    return sprintf(layout, values)


def _js(text: str) -> str:
    return "".join(_JS.get(char) or (char if char.isprintable() else f"\\u{ord(char):04X}") for char in text)


def _escaping(escape: Callable[[str], str]) -> Signature:
    return Signature(lambda *values: escape(sprint(values)), rest="any")


BUILTINS: Final[Mapping[str, Signature]] = {
    "and": Signature(lambda *values: values, ("any",), rest="any"),
    "or": Signature(lambda *values: values, ("any",), rest="any"),
    "not": Signature(lambda value: not is_true(value), ("any",)),
    "eq": Signature(_equal, ("any",), rest="any"),
    "ne": Signature(_not_equal, ("any", "any")),
    "lt": Signature(_less, ("any", "any")),
    "le": Signature(_less_or_equal, ("any", "any")),
    "gt": Signature(_greater, ("any", "any")),
    "ge": Signature(_greater_or_equal, ("any", "any")),
    "len": Signature(_length, ("any",)),
    "index": Signature(_index, ("any",), rest="any"),
    "slice": Signature(_slice, ("any",), rest="any"),
    "print": Signature(_print, rest="any"),
    "println": Signature(_println, rest="any"),
    "printf": Signature(_printf, ("string",), rest="any"),
    "html": _escaping(lambda text: text.translate(_HTML)),
    "js": _escaping(_js),
    "urlquery": _escaping(quote_plus),
}
