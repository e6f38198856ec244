"""Values as text: Go's fmt.Print and fmt.Printf. Source: Go's fmt/print.go and fmt/format.go."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from miniprom.templates.budget import check_length
from miniprom.templates.times import Duration, NamedInt, Time
from miniprom.templates.values import STRUCT_FIELDS, Sample, TemplateData, field_of, type_name
from query.language.literals import quote, quote_char
from tsdb.histogram import FloatHistogram
from tsdb.numbers import format_number

_MAX_WIDTH: Final = 10_000
"""Go's limit is 1,000,000, too much for a server that many share."""
_VERB: Final = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\*|[0-9]+)?(?:(?P<point>\.)(?P<precision>\*|[0-9]+)?)?"
    r"(?:\[(?P<index>[0-9]+)\])?(?P<verb>.)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class _Spec:
    """One verb, with its flags. `width` and `precision` are None where they are not given."""

    verb: str
    flags: str = ""
    width: int | None = None
    precision: int | None = None


_DEFAULT: Final = _Spec("v")


def sprint(values: Sequence[Any]) -> str:
    """Go's fmt.Sprint: spaces only between two values of which neither is a string."""
    text = ""
    for position, value in enumerate(values):
        if position and not isinstance(value, str) and not isinstance(values[position - 1], str):
            text += " "
        text += show(value)
    return text


def show(value: Any) -> str:
    """Go's `%v`."""
    return _shown(value, _DEFAULT)


def sprintf(layout: str, values: Sequence[Any]) -> str:
    """Go's fmt.Sprintf: what does not fit is told in the text itself, such as `%!d(string=hi)`.

    Raises `FunctionError` if the text gets too long.
    """
    parts: list[str] = []
    end = length = 0
    arguments = _Arguments(values)
    for match in _VERB.finditer(layout):
        parts.append(layout[end : match.start()])
        parts.append(_verb(match, arguments))
        end = match.end()
        length += len(parts[-1])
        check_length(length)
    parts.append(layout[end:])
    if extra := arguments.unused():
        listed = ", ".join(
            "<nil>" if value is None else f"{type_name(value)}={show(value)}" for value in extra
        )
        parts.append(f"%!(EXTRA {listed})")
    return "".join(parts)


class _Arguments:
    """What Printf takes from, one after the other or by number."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        self._next = 0
        self._is_reordered = False

    def seek(self, number: int) -> None:
        self._next = number - 1
        self._is_reordered = True

    def take(self) -> Any:
        """Raises `IndexError`."""
        if not 0 <= self._next < len(self._values):
            raise IndexError
        self._next += 1
        return self._values[self._next - 1]

    def unused(self) -> Sequence[Any]:
        return () if self._is_reordered else self._values[self._next :]


def _verb(match: re.Match[str], arguments: _Arguments) -> str:
    verb = match["verb"]
    if verb is None:
        return "%!(NOVERB)"
    if verb == "%":
        return "%"
    faults = []
    width, precision = match["width"], match["precision"] or ("0" if match["point"] else None)
    numbers: dict[str, int | None] = {}
    for name, text in (("WIDTH", width), ("PREC", precision)):
        try:
            number = arguments.take() if text == "*" else text if text is None else int(text)
        except IndexError:
            number = "missing"
        is_bad = number is not None and (not isinstance(number, int) or abs(number) > _MAX_WIDTH)
        if is_bad:
            faults.append(f"%!(BAD{name})")
        numbers[name] = None if is_bad else number
    spec = _Spec(verb, match["flags"], numbers["WIDTH"], numbers["PREC"])
    if spec.width is not None and spec.width < 0:
        spec = replace(spec, flags=spec.flags + "-", width=-spec.width)
    if spec.precision is not None and spec.precision < 0:
        spec = replace(spec, precision=None)
    if match["index"]:
        arguments.seek(int(match["index"]))
    try:
        value = arguments.take()
    except IndexError:
        return "".join(faults) + f"%!{verb}({'BADINDEX' if match['index'] else 'MISSING'})"
    return "".join(faults) + (type_name(value) if verb == "T" else _shown(value, spec))


def _shown(value: Any, spec: _Spec) -> str:
    if isinstance(value, TemplateData | Sample):
        fields = (_shown(field_of(value, name), spec) for name in STRUCT_FIELDS[type(value)])
        return f"{{{' '.join(fields)}}}"
    if isinstance(value, tuple):
        return f"[{' '.join(_shown(item, spec) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_shown(key, spec)}:{_shown(value[key], spec)}" for key in sorted(value))
        return f"map[{' '.join(pairs)}]"
    if isinstance(value, Time | FloatHistogram):
        value = str(value)
    elif isinstance(value, Duration):
        value = str(value) if spec.verb in "vsq" else value.nanoseconds
    elif isinstance(value, NamedInt) and spec.verb in "vsq":
        value = value.name
    kind: Callable[[Any, _Spec], str | None] = _KINDS[type(value)]
    text = kind(value, spec)
    if text is None:
        shown = "<nil>" if value is None else f"{type_name(value)}={show(value)}"
        return f"%!{spec.verb}({shown})"
    return text


def _nil(_: None, spec: _Spec) -> str | None:
    return _padded("<nil>", spec) if spec.verb == "v" else None


def _bool(value: bool, spec: _Spec) -> str | None:
    return _padded("true" if value else "false", spec) if spec.verb in "tv" else None


def _string(value: str, spec: _Spec) -> str | None:
    if spec.precision is not None and spec.verb in "svq":
        value = value[: spec.precision]
    if spec.verb == "q" or (spec.verb == "v" and "#" in spec.flags):
        return _padded(quote(value), spec)
    if spec.verb in "sv":
        return _padded(value, spec)
    if spec.verb in "xX":
        encoded = value.encode(errors="surrogatepass")
        digits = encoded.hex(" ") if " " in spec.flags else encoded.hex()
        return _padded(digits.upper() if spec.verb == "X" else digits, spec)
    return None


_BASES: Final = {"d": "d", "v": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES: Final = {"O": "0o", "b": "0b", "o": "0", "x": "0x", "X": "0X"}


def _int(value: int, spec: _Spec) -> str | None:
    value = int(value)
    if spec.verb in "cq":
        char = chr(value) if 0 <= value <= 0x10FFFF else "\ufffd"
        return _padded(char if spec.verb == "c" else quote_char(char), spec)
    if spec.verb == "U":
        return _padded(f"U+{value:04X}", spec)
    if spec.verb not in _BASES:
        return None
    digits = format(abs(value), _BASES[spec.verb])
    if spec.precision is not None:
        digits = digits.zfill(spec.precision)
        spec = replace(spec, flags=spec.flags.replace("0", ""))
    prefix = _PREFIXES.get(spec.verb, "") if "#" in spec.flags or spec.verb == "O" else ""
    return _number(value < 0, prefix, digits, spec)


def _float(value: float, spec: _Spec) -> str | None:
    if spec.verb not in "veEfFgG":
        return None
    verb = "g" if spec.verb == "v" else spec.verb
    if not math.isfinite(value):
        text = format_number(abs(value)).lstrip("+")
        spec = replace(spec, flags=spec.flags.replace("0", "") + ("+" if text == "Inf" else ""))
        is_negative = value < 0
    else:
        text = format(value, f"{'#' if '#' in spec.flags else ''}.{_precision(spec)}{verb}")
        if verb in "gG" and spec.precision is None:
            text = format_number(value)
            text = text.upper() if verb == "G" else text
        is_negative = text.startswith("-")
    return _number(is_negative, "", text.removeprefix("-"), spec)


def _precision(spec: _Spec) -> int:
    return 6 if spec.precision is None else min(spec.precision, 1000)


def _number(is_negative: bool, prefix: str, digits: str, spec: _Spec) -> str:
    sign = "-" if is_negative else "+" if "+" in spec.flags else " " if " " in spec.flags else ""
    if "0" in spec.flags and "-" not in spec.flags and spec.width:
        digits = digits.zfill(spec.width - len(sign) - len(prefix))
    return _padded(sign + prefix + digits, replace(spec, flags=spec.flags.replace("0", "")))


def _padded(text: str, spec: _Spec) -> str:
    width = spec.width or 0
    if "-" in spec.flags:
        return text.ljust(width)
    return text.rjust(width, "0" if "0" in spec.flags else " ")


_KINDS: Final[dict[type, Callable[[Any, _Spec], str | None]]] = {
    type(None): _nil,
    bool: _bool,
    str: _string,
    int: _int,
    NamedInt: _int,
    float: _float,
}
