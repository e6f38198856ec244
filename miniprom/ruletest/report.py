"""What tests of rules tell people and programs: lines of text, and JUnit's XML."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches, ndiff
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from miniprom.config import ConfigFileError
from miniprom.promqltest.comparison import actual_series, format_labels, format_sample
from miniprom.rules.files import matching_files
from miniprom.ruletest.comparison import Difference
from miniprom.ruletest.files import TestFile, load_test_file
from miniprom.ruletest.runner import TestOptions, TestResult, run_test_file
from query import Engine, RawMatrix

_COLOURS: Final = {"-": "\x1b[31m", "+": "\x1b[32m"}
_PLAIN: Final = "\x1b[0m"

Write = Callable[[str], object]


@dataclass(frozen=True)
class Style:
    """How failures are told: both sides one after the other, or as one `diff`; `debug` tells all samples."""

    diff: bool = False
    debug: bool = False
    colour: bool = False


@dataclass
class Suite:
    """The tests of one file; `abort` says why they could not be run to the end."""

    file: str
    results: list[TestResult] = field(default_factory=list)
    abort: str = ""

    @property
    def failed(self) -> int:
        return sum(bool(result.problems) for result in self.results)


def run_files(
    files: Sequence[str],
    options: TestOptions,
    style: Style = Style(),
    *,
    junit: Path | None = None,
    write: Write = print,
) -> int:
    """Run files of tests; the exit code: 0 if all passed, else 1."""
    suites = [_run_file(file, options, style, write) for file in files]
    if options.coverage:
        write("\n".join(options.coverage.lines()))
    if junit:
        junit.write_bytes(junit_xml(suites))
    return 1 if any(suite.failed or suite.abort for suite in suites) else 0


def _run_file(file: str, options: TestOptions, style: Style, write: Write) -> Suite:
    write(f"Testing {file}")
    suite = Suite(file)
    try:
        tests = load_test_file(file)
        for pattern in matching_files(tests.rule_files)[1]:
            write(f"  WARNING: no file matches {pattern}")
        for result in run_test_file(tests, options):
            suite.results.append(result)
            for line in _result_lines(result, style):
                write(line)
        for name, remark in _unknown_alerts(tests, suite.results):
            write(f'  WARNING: no rule has the alertname "{name}"{remark}')
    except ConfigFileError as error:
        suite.abort = str(error)
        write("\n".join(f"  {line}" for line in f"FAILED: {error}".splitlines()))
    if not suite.abort:
        write(f"  {len(suite.results) - suite.failed} passed, {suite.failed} failed\n")
    return suite


def _unknown_alerts(tests: TestFile, results: Sequence[TestResult]) -> Iterator[tuple[str, str]]:
    """The alerts that no rule has, which a test that expects none would not notice; with the nearest name."""
    if not results:
        return
    known = {state.rule.name for group in results[0].groups for state in group.rules}
    asked = {alert.alertname for test in tests.tests for alert in test.alert_rule_test}
    for name in sorted(asked - known):
        close = get_close_matches(name, known, n=1)
        yield name, f'; did you mean "{close[0]}"?' if close else ""


def _result_lines(result: TestResult, style: Style) -> Iterator[str]:
    if style.debug:
        yield f"  DEBUG: {result.name} took {result.duration_seconds:.3f} s"
    if result.problems:
        yield f"  FAILED: {result.name}"
    for problem in result.problems:
        yield from (f"    {line}" for line in difference_lines(problem, style))
    if style.debug:
        yield "  DEBUG: all samples, of input series and of rules:"
        yield from (f"    {line}" for line in _dump(result))


def difference_lines(difference: Difference, style: Style) -> list[str]:
    """A difference as lines."""
    expected, got = difference.expected, difference.got
    if not expected and not got:
        return difference.text.splitlines()
    why = [f"  because {sentence}" for sentence in difference.why]
    if style.diff:
        lines = [line for line in ndiff(expected, got) if not line.startswith("?")]
        return [difference.text, *(_coloured(line) if style.colour else line for line in lines), *why]
    return [
        difference.text,
        *("  expected:", *(f"    {line}" for line in expected or ("nothing",))),
        *("  got:", *(f"    {line}" for line in got or ("nothing",))),
        *why,
    ]


def junit_xml(suites: Sequence[Suite]) -> bytes:
    """JUnit's XML, a suite a file."""
    root = ElementTree.Element("testsuites")
    for suite in suites:
        element = ElementTree.SubElement(root, "testsuite", name=suite.file)
        element.set("tests", str(len(suite.results)))
        element.set("failures", str(suite.failed))
        element.set("errors", str(int(bool(suite.abort))))
        for result in suite.results:
            seconds = f"{result.duration_seconds:.6f}"
            case = ElementTree.SubElement(element, "testcase", name=result.name, time=seconds)
            for problem in result.problems:
                failure = ElementTree.SubElement(case, "failure", message=problem.text)
                failure.text = "\n".join(difference_lines(problem, Style()))
        if suite.abort:
            ElementTree.SubElement(element, "error", message=suite.abort)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _dump(result: TestResult) -> Iterator[str]:
    """Every sample in the store, series by series."""
    seconds = result.end_ms // 1000 + 1
    snapshot = result.store.snapshot(seconds * 1000)
    value = Engine().instant(snapshot, f'{{__name__=~".+"}}[{seconds + 1}s]', seconds * 1000).value
    assert isinstance(value, RawMatrix)
    for series in actual_series(value):
        samples = (
            f"{format_sample(sample)} @{time_ms / 1000:g}" for time_ms, sample in series.samples.items()
        )
        yield f"{format_labels(series.labels)} {' '.join(samples)}"


def _coloured(line: str) -> str:
    colour = _COLOURS.get(line[:1])
    return f"{colour}{line}{_PLAIN}" if colour else line
