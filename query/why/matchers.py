"""Why no stored series satisfies the matchers of a selector."""

from collections.abc import Iterator, Sequence

import numpy as np

from query.language import ast
from query.why.finding import Finding, Kind, counted, listed, nearest
from tsdb import METRIC_NAME, LabelFrame, Matcher, MatchOp, Snapshot
from tsdb.arrays import distinct
from tsdb.sample import FOREVER_MS, NEVER_MS, BoolArray


def stored_series(snapshot: Snapshot, matchers: Sequence[Matcher]) -> LabelFrame:
    """The series that satisfy the matchers, whenever they had samples."""
    return snapshot.series([matchers], NEVER_MS, FOREVER_MS)


def matcher_causes(
    selector: ast.VectorSelector, matchers: Sequence[Matcher], snapshot: Snapshot
) -> Iterator[Finding]:
    """The matchers to blame. Requires: no stored series satisfies all of them."""
    named = [matcher for matcher in matchers if matcher.name == METRIC_NAME]
    others = [matcher for matcher in matchers if matcher.name != METRIC_NAME]
    candidates = stored_series(snapshot, named)
    if not candidates.size:
        yield _no_metric(selector, named, snapshot)
        return
    masks = [_mask(candidates, matcher) for matcher in others]
    whose = _whose(selector, named)
    hopeless = [matcher for matcher, mask in zip(others, masks, strict=True) if not mask.any()]
    if hopeless:
        for matcher in hopeless:
            yield _no_value(selector, matcher, candidates, whose)
    else:
        yield _combination(selector, others, masks, candidates, whose)


def _no_metric(selector: ast.VectorSelector, named: Sequence[Matcher], snapshot: Snapshot) -> Finding:
    names = snapshot.label_values(METRIC_NAME, (), NEVER_MS, FOREVER_MS)
    if not names and not stored_series(snapshot, ()).size:
        return Finding.of(Kind.EMPTY_STORE, selector, "no series is stored at all")
    if len(named) == 1 and named[0].op is MatchOp.EQUAL:
        wanted = named[0].value
        text = f"no series of {wanted} is stored{nearest(wanted, names)}"
    else:
        conditions = " and ".join(map(str, named))
        text = f"none of the {counted(len(names), 'metric name', 'metric names')} satisfies {conditions}"
    return Finding.of(Kind.UNKNOWN_METRIC, selector, text)


def _whose(selector: ast.VectorSelector, named: Sequence[Matcher]) -> str:
    """How a sentence speaks of the series that the name alone selects."""
    if selector.name:
        return f"series of {selector.name}"
    return f"series with {' and '.join(map(str, named))}" if named else "stored series"


def _no_value(selector: ast.VectorSelector, matcher: Matcher, candidates: LabelFrame, whose: str) -> Finding:
    """A matcher that no series of the metric satisfies."""
    name, values = matcher.name, _values(candidates, matcher.name)
    if matcher.matches("") or (matcher.is_negative and values):
        have = f"all of them have {name} {listed(values)}"
        return Finding.of(Kind.EXCLUDED, selector, f"no {whose} satisfies {matcher}: {have}")
    if not values:
        names = [each for each in candidates.names if each != METRIC_NAME]
        there = f"; there are {', '.join(names)}" if names else ""
        text = f"no {whose} has the label {name}{nearest(name, names) or there}"
        return Finding.of(Kind.UNKNOWN_LABEL, selector, text)
    near = nearest(matcher.value, values) if matcher.op is MatchOp.EQUAL else ""
    text = f"no {whose} satisfies {matcher}: {name} is {listed(values)}{near}"
    return Finding.of(Kind.UNKNOWN_VALUE, selector, text)


def _combination(
    selector: ast.VectorSelector,
    matchers: Sequence[Matcher],
    masks: Sequence[BoolArray],
    candidates: LabelFrame,
    whose: str,
) -> Finding:
    """Each matcher is satisfied by some series; the first that none of those satisfies that are left."""
    left = np.ones(candidates.size, dtype=np.bool_)
    passed: list[str] = []
    for matcher, mask in zip(matchers, masks, strict=True):
        if not (left & mask).any():
            break
        left &= mask
        passed.append(str(matcher))
    rest = candidates.take(left)
    values = _values(rest, matcher.name)
    have = f"{matcher.name} is {listed(values)}" if values else f"they lack the label {matcher.name}"
    text = (
        f"no {whose} has all of the labels: of {counted(rest.size)} with {', '.join(passed)} "
        f"none satisfies {matcher}; there, {have}"
    )
    return Finding.of(Kind.COMBINATION, selector, text)


def _mask(labels: LabelFrame, matcher: Matcher) -> BoolArray:
    """bool[series]: which satisfy a matcher."""
    codes = labels.codes(matcher.name)
    known = distinct(codes.astype(np.int64))
    hits = matcher.matching(labels.scope.decode(matcher.name, known.astype(np.int32)))
    mask: BoolArray = np.isin(codes, known[hits])
    return mask


def _values(labels: LabelFrame, name: str) -> set[str]:
    """The values of a label, without "no such label"."""
    codes = distinct(labels.codes(name).astype(np.int64)).astype(np.int32)
    return set(labels.scope.decode(name, codes)) - {""}
