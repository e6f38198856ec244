"""/federate: the newest sample of each selected series, in the text format (upstream web/federate.go)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from aiohttp import web

from miniprom.api.numbers import go_float
from miniprom.api.params import read_params
from miniprom.api.services import services_of
from miniprom.api.streaming import Body, accepts_gzip, prepare, send
from tsdb import METRIC_NAME, Labels, Matcher, Selection, Snapshot
from tsdb.sample import is_absent, is_stale

_TEXT = "text/plain; version=0.0.4; charset=utf-8; escaping={}"
_LEGACY_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_NOT_LEGACY = re.compile(r"[^a-zA-Z0-9_:]", re.ASCII)


@dataclass(frozen=True)
class Sample:
    """The newest sample of a series."""

    labels: Labels
    time_ms: int
    value: float


async def federate(request: web.Request) -> web.StreamResponse:
    """The samples that one of `match[]` selects, not older than the lookback."""
    services, params = services_of(request), await read_params(request)
    matcher_sets = params.selectors("match[]")
    utf8 = "escaping=allow-utf-8" in request.headers.get("Accept", "").replace(" ", "")
    external = {"instance": "", **services.config.global_.external_labels}
    now_ms = services.clock.now_ms()
    start_ms = now_ms - services.settings.lookback_ms
    snapshot = services.snapshot()
    gzip = accepts_gzip(request.headers.get("Accept-Encoding", ""))

    def work() -> Body:
        samples = newest_samples(snapshot, matcher_sets, start_ms, now_ms)
        return prepare(exposition(samples, external, utf8=utf8), gzip)

    body = await services.workers.run(work)
    content_type = _TEXT.format("allow-utf-8" if utf8 else "underscores")
    return await send(request, body, services.workers, content_type)


def newest_samples(
    snapshot: Snapshot, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int
) -> list[Sample]:
    """The newest float of each series that one of the sets selects, sorted by name, then labels.

    Series that ended (a stale marker is their newest) and native histograms, for which the text
    format has no form, are left out.
    """
    newest: dict[Labels, Sample] = {}
    for matchers in matcher_sets:
        for sample in _newest(snapshot.select(matchers, start_ms, end_ms)):
            newest[sample.labels] = sample
    return sorted(newest.values(), key=lambda sample: (_name(sample.labels), sample.labels))


def exposition(samples: Sequence[Sample], external: Mapping[str, str], *, utf8: bool) -> Iterator[bytes]:
    """The text format, samples without a name left out; labels gain the external ones they lack."""
    last_name = ""
    for sample in samples:
        name = _name(sample.labels)
        if not name:
            continue
        if name != last_name:
            yield f"# TYPE {_type_name(name, utf8)} untyped\n".encode()
            last_name = name
        own = dict(sample.labels)
        del own[METRIC_NAME]
        own.update((key, external[key]) for key in sorted(external) if key not in own)
        line = f"{series_text(name, own, utf8=utf8)} {go_float(sample.value)} {sample.time_ms}\n"
        yield line.encode(errors="replace")


def _newest(selection: Selection) -> Iterator[Sample]:
    labels = selection.labels.series()
    for slab in selection.slabs:
        values = slab.read()
        there = ~is_absent(values)
        rows = len(values) - 1 - np.argmax(there[::-1], axis=0)
        columns = np.arange(values.shape[1])
        newest = values[rows, columns]
        shown = there[rows, columns] & ~is_stale(newest)
        times_ms = slab.timestamps_ms[rows]
        for column in np.flatnonzero(shown).tolist():
            position = int(slab.series[column])
            yield Sample(labels[position], int(times_ms[column]), float(newest[column]))


def _name(labels: Labels) -> str:
    return next((value for name, value in labels if name == METRIC_NAME), "")


def _type_name(name: str, utf8: bool) -> str:
    if _LEGACY_NAME.fullmatch(name):
        return name
    return _quoted(name) if utf8 else _underscored(name)


def series_text(name: str, labels: Mapping[str, str], *, utf8: bool) -> str:
    """Name and labels as a line begins with them."""
    pairs = [f"{_type_name(key, utf8)}={_quoted(value)}" for key, value in labels.items()]
    if utf8 and not _LEGACY_NAME.fullmatch(name):
        return f"{{{','.join([_quoted(name), *pairs])}}}"
    return f"{_type_name(name, utf8)}{{{','.join(pairs)}}}" if pairs else _type_name(name, utf8)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'


def _underscored(name: str) -> str:
    replaced = _NOT_LEGACY.sub("_", name)
    return f"_{replaced}" if replaced[:1].isdigit() else replaced
