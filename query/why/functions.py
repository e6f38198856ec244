"""Functions and aggregations that give nothing though they are given something."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from query.execution.classic_histogram import BUCKET_LABEL
from query.execution.columns import present_mask
from query.execution.values import Value, Vector
from query.language import ast
from query.why.finding import Finding, Kind, counted, shown_series
from tsdb import METRIC_NAME

_OF_FLOATS: Final = frozenset({"topk", "bottomk"})
_CHOOSING: Final = _OF_FLOATS | {"limitk", "limit_ratio"}


def aggregation_cause(node: ast.Aggregation, operand: Value) -> Finding:
    """Why an aggregation of some series has no result."""
    assert isinstance(operand, Vector)
    given = counted(_present(operand))
    if node.op in _CHOOSING and not (node.op in _OF_FLOATS and operand.histograms is not None):
        text = f"the parameter of {node.op} lets it choose none of {given}"
        return Finding.of(Kind.NOTHING_ASKED, node, text)
    kind = "native histograms" if operand.histograms is not None else "floats"
    return Finding.of(Kind.WRONG_SAMPLES, node, f"{node.op} has no result for {kind}: it leaves {given} out")


def function_cause(call: ast.Call, args: Sequence[Value]) -> Finding:
    """Why a function of some series gives nothing."""
    return _CAUSES.get(call.function, _ignored)(call, args)


def _absent(call: ast.Call, args: Sequence[Value]) -> Finding:
    (vector,) = args
    assert isinstance(vector, Vector)
    there = _example(vector)
    text = f"absent() gives something only where there is no series; there is {there}"
    return Finding.of(Kind.NOT_ABSENT, call, text)


def _buckets(call: ast.Call, args: Sequence[Value]) -> Finding:
    vector = next(arg for arg in args if isinstance(arg, Vector))
    needs = (
        f"{call.function}() needs the buckets of a histogram: series with the label le, or native histograms"
    )
    if BUCKET_LABEL in vector.labels.names:
        return Finding.of(Kind.NO_BUCKETS, call, f"{needs}; no le here is a number")
    names = [name for name in vector.labels.names if name != METRIC_NAME]
    have = f"have the labels {', '.join(names)} only" if names else "have no labels"
    text = f"{needs}; the {counted(_present(vector))} given {have}"
    if any(isinstance(arg, ast.Aggregation) for arg in call.args):
        text += "; keep le in the aggregation: by (le, ...)"
    return Finding.of(Kind.NO_BUCKETS, call, text)


def _clamp(call: ast.Call, _args: Sequence[Value]) -> Finding:
    return Finding.of(Kind.NOTHING_ASKED, call, "clamp() gives nothing: its minimum is above its maximum")


def _info(call: ast.Call, args: Sequence[Value]) -> Finding:
    assert isinstance(args[0], Vector)
    bases = f"{counted(_present(args[0]))}, such as {_example(args[0])}"
    text = f"no info series with the labels asked for belongs to the {bases}"
    return Finding.of(Kind.LABELS_DIFFER, call, text)


def _ignored(call: ast.Call, args: Sequence[Value]) -> Finding:
    """Functions of native histograms leave floats out, and the other way round."""
    vector = next(arg for arg in args if isinstance(arg, Vector))
    kind = "native histograms" if vector.histograms is not None else "floats"
    text = f"{call.function}() gives nothing for {kind}: it leaves {counted(_present(vector))} out"
    return Finding.of(Kind.WRONG_SAMPLES, call, text)


_CAUSES: Final[Mapping[str, Callable[[ast.Call, Sequence[Value]], Finding]]] = {
    "absent": _absent,
    "clamp": _clamp,
    "histogram_fraction": _buckets,
    "histogram_quantile": _buckets,
    "histogram_quantiles": _buckets,
    "info": _info,
}


def _present(vector: Vector) -> int:
    """How many series have a sample at some step."""
    return int(present_mask(vector).any(axis=0).sum())


def _example(vector: Vector) -> str:
    first = np.flatnonzero(present_mask(vector).any(axis=0))[:1]
    return shown_series(vector.labels.take(first).series()[0])
