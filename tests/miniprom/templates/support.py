"""Expanding a template in one line."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from miniprom.templates import Template, TemplateData, expand
from query.execution.result import InstantVector, ResultValue
from query.execution.values import HistogramArray
from tsdb import LabelFrame, labels_from
from tsdb.histogram import FloatHistogram
from tsdb.labelframe import LabelScope

NOW_MS = 1_353_755_652_000
"""2012-11-24 11:14:12 UTC"""


@dataclass(frozen=True)
class Found:
    """The answer to a query."""

    value: ResultValue


def vector(*samples: tuple[Mapping[str, str], float | FloatHistogram]) -> InstantVector:
    """An instant query's value."""
    values = [0.0 if isinstance(value, FloatHistogram) else value for _, value in samples]
    histograms: HistogramArray = np.array(
        [value if isinstance(value, FloatHistogram) else None for _, value in samples], dtype=object
    )
    labels = LabelFrame.of(LabelScope({}), [labels_from(labels) for labels, _ in samples])
    return InstantVector(NOW_MS, labels, np.array(values, dtype=np.float64), histograms)


def expanded(
    text: str,
    *,
    value: float | FloatHistogram = 1.0,
    labels: Mapping[str, str] | None = None,
    answer: ResultValue | None = None,
) -> str:
    """The text of a template, in which every query has one answer."""
    data = TemplateData(labels or {}, value, {"region": "eu"}, "http://testhost:9090/path/prefix", NOW_MS)
    return expand(Template.parse(text), data, lambda _: Found(answer or vector()))
