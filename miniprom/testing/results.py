"""What a query answers: `Vector`, `Matrix`, `Scalar` or `String`, each a `Result`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from miniprom.testing.errors import ResultError
from miniprom.testing.series import Series, labels_text, listed, number_text, series_from_json
from miniprom.testing.times import moment

__tracebackhide__ = True  # pytest shows a failure where the test asked, not here


def _unexplained() -> Sequence[str]:
    return ()


@dataclass(frozen=True, repr=False)
class Result:
    """What the four kinds have in common. One that is empty is false."""

    query: str = field(compare=False)
    warnings: tuple[str, ...] = field(default=(), kw_only=True, compare=False)
    infos: tuple[str, ...] = field(default=(), kw_only=True, compare=False)
    why: Callable[[], Sequence[str]] = field(default=_unexplained, kw_only=True, compare=False)
    """Asks the server why the answer is empty: sentences, none where it can't tell."""

    def scalar(self) -> float:
        """The one number. Raises `ResultError` where there are none, or several."""
        raise self._not("a number")

    def series(self) -> tuple[Series, ...]:
        """All series, in the answer's order."""
        raise self._not("series")

    def __len__(self) -> int:
        return 1

    def __getitem__(self, labels: Mapping[str, str]) -> Any:
        raise self._not("series")

    def by(self, *_names: str) -> dict[Any, Any]:
        """What the one series of each value (or combination of values) of these labels holds."""
        raise self._not("series")

    def _not(self, wanted: str) -> ResultError:
        return ResultError(f"{wanted} was asked of a {type(self).__name__.lower()}\n{self!r}")


@dataclass(frozen=True, repr=False)
class Scalar(Result):
    """One number."""

    value: float
    time: float

    def scalar(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return f"<Scalar {number_text(self.value)} at {moment(self.time)}>"


@dataclass(frozen=True, repr=False)
class String(Result):
    """One text."""

    value: str
    time: float

    def __repr__(self) -> str:
        return f"<String {self.value!r} at {moment(self.time)}>"


@dataclass(frozen=True, repr=False)
class _OfSeries(Result):
    """Series that can be found by their labels."""

    content: tuple[Series, ...]

    def series(self) -> tuple[Series, ...]:
        return self.content

    def __len__(self) -> int:
        return len(self.content)

    def __iter__(self) -> Iterator[Series]:
        return iter(self.content)

    def columns(self) -> dict[str, list[Any]]:
        """A row a sample: a column a label, then `time` (unix seconds) and `value`."""
        names = sorted({name for series in self.content for name in series.labels})
        rows = [
            (*(series.labels.get(name, "") for name in names), time, value)
            for series in self.content
            for time, value in zip(series.timestamps, series.values, strict=True)
        ]
        columns = zip(*rows, strict=True) if rows else ([] for _ in range(len(names) + 2))
        return dict(zip([*names, "time", "value"], map(list, columns), strict=True))

    def to_pandas(self) -> Any:
        """`columns()` as a `pandas.DataFrame`, times as UTC timestamps."""
        import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415  the user's own

        frame = pd.DataFrame(self.columns())
        frame["time"] = pd.to_datetime(frame["time"], unit="s", utc=True)
        return frame

    def to_polars(self) -> Any:
        """`columns()` as a `polars.DataFrame`, times as UTC timestamps in milliseconds."""
        import polars as pl  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415  the user's own

        milliseconds = (pl.col("time") * 1000).round().cast(pl.Int64)
        return pl.DataFrame(self.columns()).with_columns(
            milliseconds.cast(pl.Datetime("ms", "UTC")), pl.col("value").cast(pl.Float64)
        )

    def _find(self, labels: Mapping[str, str]) -> Series:
        found = [series for series in self.content if labels.items() <= series.labels.items()]
        if len(found) == 1:
            return found[0]
        problem = f"{len(found)} series have" if found else "no series has"
        raise ResultError(f"{problem} {labels_text(labels)}, one is expected\n{self!r}")

    def _groups(self, names: Sequence[str]) -> dict[Any, Series]:
        groups: dict[Any, Series] = {}
        for series in self.content:
            values = tuple(series.labels.get(name, "") for name in names)
            key = values[0] if len(values) == 1 else values
            if key in groups:
                raise ResultError(f"several series have {dict(zip(names, values, strict=True))}\n{self!r}")
            groups[key] = series
        return groups

    def _lines(self) -> str:
        described = [labels_text(series.labels) for series in self.content]
        width = max(map(len, described), default=0)
        return listed(
            f"{text:{width}}  {series.samples_text()}"
            for text, series in zip(described, self.content, strict=True)
        )

    def _emptiness(self) -> str:
        reasons = self._reasons
        return "<empty answer: " + ("; ".join(reasons) if reasons else self.query) + ">"

    @cached_property
    def _reasons(self) -> Sequence[str]:
        return self.why()


@dataclass(frozen=True, repr=False)
class Vector(_OfSeries):
    """One sample a series. `vector[{"pod": "a"}]` is a number; `vector.by("code")` maps codes to numbers."""

    def scalar(self) -> float:
        if len(self.content) != 1:
            raise ResultError(f"one number was asked of {len(self.content)} series\n{self!r}")
        return self._number(self.content[0])

    def __getitem__(self, labels: Mapping[str, str]) -> float:
        return self._number(self._find(labels))

    def by(self, *names: str) -> dict[Any, float]:
        return {key: self._number(series) for key, series in self._groups(names).items()}

    def __repr__(self) -> str:
        if not self.content:
            return self._emptiness()
        first = self.content[0]
        time = [*first.timestamps, *(time for time, _ in first.histograms)][0]
        return f"<Vector of {len(self.content)} series at {moment(time)}\n{self._lines()}>"

    def _number(self, series: Series) -> float:
        if not len(series.value_buffer):
            raise ResultError(f"{labels_text(series.labels)} is a native histogram; see .series()\n{self!r}")
        return float(series.value_buffer[0])


@dataclass(frozen=True, repr=False)
class Matrix(_OfSeries):
    """Many samples a series. `matrix[{"pod": "a"}]` is a `Series`; `matrix.by("code")` maps codes to such."""

    def __getitem__(self, labels: Mapping[str, str]) -> Series:
        return self._find(labels)

    def by(self, *names: str) -> dict[Any, Series]:
        return self._groups(names)

    def __repr__(self) -> str:
        if not self.content:
            return self._emptiness()
        return f"<Matrix of {len(self.content)} series\n{self._lines()}>"


def result_from_json(answer: Mapping[str, Any], query: str, why: Callable[[], Sequence[str]]) -> Result:
    """The answer of `query` or `query_range`. Raises `KeyError`, `TypeError`, `ValueError`, `IndexError`."""
    data = answer["data"]
    kind, result = data["resultType"], data["result"]
    warnings, infos = tuple(answer.get("warnings", ())), tuple(answer.get("infos", ()))
    if kind == "scalar":
        return Scalar(query, float(result[1]), float(result[0]), warnings=warnings, infos=infos)
    if kind == "string":
        return String(query, str(result[1]), float(result[0]), warnings=warnings, infos=infos)
    of_kind = {"vector": Vector, "matrix": Matrix}[kind]
    return of_kind(query, tuple(map(series_from_json, result)), warnings=warnings, infos=infos, why=why)
