"""Both formats and the memory against generated bodies."""

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import ExpositionError
from collector.exposition import NO_TIMESTAMP, OPENMETRICS, TEXT, Format, LineMemory, Metadata, Sample, parse
from tsdb import Labels, labels_from

LABEL_NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,5}", fullmatch=True) | st.text(min_size=1, max_size=5)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
LABELS = st.dictionaries(
    LABEL_NAMES.filter(lambda name: "\0" not in name and name != "__name__"), TEXTS, max_size=3
)
NAMES = st.from_regex(r"[a-z_:][a-z0-9_:]{0,5}", fullmatch=True)
FORMATS = pytest.mark.parametrize("form", [TEXT, OPENMETRICS], ids=lambda form: form.name)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") + '"'


def rendered(name: str, labels: dict[str, str], value: float, timestamp: str) -> str:
    pairs = ",".join(f"{quoted(label)}={quoted(text)}" for label, text in labels.items())
    return f"{{{quoted(name)},{pairs}}} {value!r}{timestamp}\n"


@FORMATS
@given(
    samples=st.lists(
        st.tuples(
            NAMES | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5),
            LABELS,
            st.floats(allow_nan=False),
            st.none() | st.integers(0, 2**40),
        )
    )
)
def test_rendered_samples_are_read_back(
    form: Format, samples: list[tuple[str, dict[str, str], float, int | None]]
) -> None:
    def stamp(timestamp_s: int | None) -> str:
        return "" if timestamp_s is None else f" {timestamp_s * (1000 if form is TEXT else 1)}"

    body = "".join(rendered(name, labels, value, stamp(time)) for name, labels, value, time in samples)
    exposition = parse((body + "# EOF\n").encode(), form)
    assert exposition.samples == tuple(
        Sample(labels_from(labels | {"__name__": name}), value, None if time is None else time * 1000)
        for name, labels, value, time in samples
    )


@FORMATS
@given(family=NAMES, help_text=TEXTS)
def test_rendered_help_is_read_back(form: Format, family: str, help_text: str) -> None:
    escaped = help_text.replace("\\", r"\\").replace("\n", r"\n")
    if form is TEXT and not help_text.strip(" \t"):
        help_text = ""
    body = f"# HELP {family} {escaped}\n# EOF\n"
    assert parse(body.encode(), form).metadata == {family: Metadata(help=help_text)}


TOKENS = [
    *(
        b"a",
        b"b_total",
        b"{",
        b"}",
        b'"',
        b'"x"',
        b"=",
        b",",
        b" ",
        b"\t",
        b"\n",
        b"# ",
        b"#",
        b"HELP ",
        b"TYPE ",
    ),
    *(
        b"UNIT ",
        b"counter",
        b"histogram",
        b"le",
        b"1",
        b"-2.5e3",
        b"NaN",
        b"+Inf",
        b"# EOF",
        b"\\",
        b"\xff",
        b"\0",
        b"\r",
    ),
]
BODIES = st.binary(max_size=60) | st.lists(st.sampled_from(TOKENS), max_size=25).map(b"".join)


@FORMATS
@settings(max_examples=500)
@given(body=BODIES)
def test_no_body_raises_anything_but_an_exposition_error(form: Format, body: bytes) -> None:
    for read in (lambda: parse(body, form), lambda: LineMemory(form).update(body)):
        with suppress(ExpositionError):
            read()


SERIES = [b"a", b'a{b="1"}', b'a{b="1",}', b'{"a.b",c="\\n"}', b"h_bucket", b"le_x", b"a1", b'b{c="x 1 2"}']
VALUES = [b"1", b"2.5", b"NaN", b"+Inf", b"-0", b"1e3", b"1e999", b"1_0"]
COMMENTS = [b"# TYPE a gauge", b"# TYPE a counter", b"# HELP a x", b"# HELP a y", b"# HELP 9", b"# TYPE a"]
TEXT_LINES = (
    st.builds(b"%b %b".__mod__, st.tuples(st.sampled_from(SERIES), st.sampled_from(VALUES)))
    | st.builds(b"%b  %b\t".__mod__, st.tuples(st.sampled_from(SERIES), st.sampled_from(VALUES[:6])))
    | st.builds(b"%b 1 %d".__mod__, st.tuples(st.sampled_from(SERIES), st.integers(0, 3)))
    | st.sampled_from([*COMMENTS[:4], b"", b"# remark", b'a{b="\n"} 1'])
    | st.sampled_from(COMMENTS)
)


OPENMETRICS_LINES = (
    st.builds(b"%b %b".__mod__, st.tuples(st.sampled_from(SERIES), st.sampled_from(VALUES)))
    | st.builds(b"%b 1 %d.5".__mod__, st.tuples(st.sampled_from(SERIES), st.integers(-3, 3)))
    | st.builds(b'%b %d # {a="%d"} 1'.__mod__, st.tuples(st.sampled_from(SERIES), *[st.integers(0, 3)] * 2))
    | st.sampled_from([*COMMENTS[:4], b"# UNIT a_s s", b"", b'{"a\nb"} 1'])
)


class Reader:
    """Follows a memory's updates, and says what a full parse would."""

    def __init__(self, form: Format) -> None:
        self.memory = LineMemory(form)
        self.labels: dict[int, Labels] = {}
        self.metadata: dict[str, Metadata] = {}

    def read(self, body: bytes) -> tuple[list[tuple[Labels, float, int | None]], dict[str, Metadata]]:
        update = self.memory.update(body)
        assert not self.labels.keys() & update.added.keys()
        self.labels.update(update.added)
        for slot in update.vanished.tolist():
            del self.labels[slot]
        assert self.labels.keys() == set(update.slots.tolist())
        if update.metadata is not None:
            self.metadata = dict(update.metadata)
        times = [NO_TIMESTAMP] * len(update.slots)
        if update.timestamps_ms is not None:
            times = update.timestamps_ms.tolist()
        samples = [
            (self.labels[slot], value, None if time == NO_TIMESTAMP else time)
            for slot, value, time in zip(update.slots.tolist(), update.values.tolist(), times, strict=True)
        ]
        samples += [(self.labels[extra.slot], extra.value, extra.timestamp_ms) for extra in update.repeats]
        return samples, self.metadata


def comparable(samples: list[tuple[Labels, float, int | None]]) -> list[str]:
    return sorted(map(repr, samples))


@pytest.mark.parametrize(
    ("form", "end", "new_lines"), [(TEXT, b"", TEXT_LINES), (OPENMETRICS, b"\n# EOF", OPENMETRICS_LINES)]
)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_memory_reads_each_of_many_edited_bodies_as_a_full_parse_does(
    data: st.DataObject, form: Format, end: bytes, new_lines: st.SearchStrategy[bytes]
) -> None:
    reader = Reader(form)
    lines: list[bytes] = []
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(lines)))
        stop = data.draw(st.integers(start, min(start + 3, len(lines))))
        edited = [*lines[:start], *data.draw(st.lists(new_lines, max_size=5)), *lines[stop:]]
        body = b"\n".join(edited) + end
        wanted = full_parse(body, form)
        if isinstance(wanted, str):
            with pytest.raises(ExpositionError, match=re.escape(wanted)):
                reader.read(body)
            continue
        lines = edited
        samples, metadata = reader.read(body)
        assert (comparable(samples), metadata) == wanted


ENDS_OF_LINES = st.sampled_from(
    [b" 1", b" 21", b"2 1", b" 2.5", b" -1e-3", b" NaN", b" +Inf", b" 7 5", b"", b"_1", b" 1x", b" a", b" 1 "]
)


@settings(max_examples=200, deadline=None)
@given(bodies=st.lists(st.lists(ENDS_OF_LINES, min_size=5, max_size=5), min_size=3, max_size=8))
def test_memory_reads_changed_ends_of_lines_as_a_full_parse_does(bodies: list[list[bytes]]) -> None:
    reader = Reader(TEXT)
    heads = [b"a", b'a{b="1"}', b"# HELP a", b"b", b"a"]
    for ends in bodies:
        body = b"\n".join(map(bytes.__add__, heads, ends))
        wanted = full_parse(body, TEXT)
        if isinstance(wanted, str):
            with pytest.raises(ExpositionError, match=re.escape(wanted)):
                reader.read(body)
        else:
            samples, metadata = reader.read(body)
            assert (comparable(samples), metadata) == wanted


def full_parse(body: bytes, form: Format) -> str | tuple[list[str], dict[str, Metadata]]:
    """What `Reader.read` should make of a body, or its error."""
    try:
        exposition = parse(body, form)
    except ExpositionError as error:
        return str(error)
    samples = [(sample.labels, sample.value, sample.timestamp_ms) for sample in exposition.samples]
    return comparable(samples), exposition.metadata
