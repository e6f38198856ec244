"""Files that become pytest items: promtool's unit tests of rules, and scripts of load and eval statements.

What runs them is imported when a file is collected, not before.
"""

import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest

if TYPE_CHECKING:
    from miniprom.promqltest.runner import CaseResult
    from miniprom.promqltest.statements import Script
    from miniprom.ruletest.coverage import Coverage
    from miniprom.ruletest.files import TestFile
    from miniprom.ruletest.runner import TestResult

_OPTION: Final = "prometheus_rules"
_COVERAGE_OPTION: Final = "prometheus_rule_coverage"
_INI: Final = "prometheus_rule_tests"
_DEFAULT_GLOBS: Final = ("*_test.yml", "*_test.yaml", "*.test.yml", "*.test.yaml", "*.test")
_SCRIPT_SUFFIX: Final = ".test"
_QUERY_IN_NAME: Final = 60

_COVERAGE: Final[pytest.StashKey["Coverage"]] = pytest.StashKey()

_ExceptionInfo: TypeAlias = pytest.ExceptionInfo[BaseException]


def add_options(parser: pytest.Parser) -> None:
    """What turns the collecting on: an option for the usual names, an ini setting for others."""
    group = parser.getgroup("prometheus")
    group.addoption(
        "--prometheus-rules",
        dest=_OPTION,
        action="store_true",
        help=f"run unit tests of rules and PromQL scripts, too: {', '.join(_DEFAULT_GLOBS)}, "
        f"or what the ini setting {_INI} says",
    )
    group.addoption(
        "--prometheus-rule-coverage",
        dest=_COVERAGE_OPTION,
        action="store_true",
        help="do so, and tell at the end what the rules can do and no test made them do",
    )
    parser.addini(
        _INI,
        "globs of unit tests of rules (promtool's format) and of PromQL scripts (*.test) to run",
        "args",
        [],
    )


def collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The collector of a file that is to be run, else None."""
    config = parent.config
    globs = config.getini(_INI)
    if not globs and (config.getoption(_OPTION) or config.getoption(_COVERAGE_OPTION)):
        globs = _DEFAULT_GLOBS
    if not any(file_path.match(glob) for glob in globs):
        return None
    is_script = file_path.suffix == _SCRIPT_SUFFIX
    collector: pytest.Collector = (ScriptFile if is_script else RuleTestFile).from_parent(
        parent, path=file_path
    )
    return collector


def coverage_lines(config: pytest.Config) -> list[str]:
    """What to tell at the end."""
    coverage = config.stash.get(_COVERAGE, None)
    return coverage.lines() if coverage else []


class ItemFailure(Exception):  # noqa: N818  pytest's word for an unexpected outcome of a test
    """A test that found something else than expected; its text is the report."""


class _TextItem(pytest.Item):
    """An item whose failures are texts, not tracebacks."""

    def repr_failure(self, excinfo: _ExceptionInfo, style: Any = None) -> Any:
        """The text of what is wrong with the tested; a traceback of what is wrong with us."""
        from miniprom.errors import MinipromError  # noqa: PLC0415  a failure only

        if isinstance(excinfo.value, ItemFailure | MinipromError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item stands."""
        return self.path, self.line, self.name

    line: int | None = None
    """From 0."""


class RuleTestFile(pytest.File):
    """A file of promtool's unit tests."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item a test group, by its name."""
        from miniprom.config import ConfigFileError  # noqa: PLC0415  nothing before a file is there
        from miniprom.rules.files import matching_files  # noqa: PLC0415  as above
        from miniprom.ruletest import load_test_file  # noqa: PLC0415  as above

        try:
            file = load_test_file(str(self.path))
        except ConfigFileError as error:
            raise self.CollectError(str(error)) from error
        for pattern in matching_files(file.rule_files)[1]:
            warnings.warn(pytest.PytestWarning(f"{self.path}: no rule file matches {pattern}"), stacklevel=1)
        seen: dict[str, int] = {}
        for position, test in enumerate(file.tests):
            name = test.name or f"unnamed#{position}"
            seen[name] = seen.get(name, 0) + 1
            unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
            yield RuleTest.from_parent(self, name=unique, file=file, position=position)


class RuleTest(_TextItem):
    """One test group of a file, run on its own."""

    def __init__(self, *, file: "TestFile", position: int, **node: Any) -> None:
        super().__init__(**node)
        self._file = file
        self._position = position

    def runtest(self) -> None:
        """Fails with the differences between expected and found."""
        from miniprom.ruletest.report import Style, difference_lines  # noqa: PLC0415  see the module

        problems = self._result().problems
        if problems:
            lines = (line for problem in problems for line in difference_lines(problem, Style(diff=True)))
            raise ItemFailure("\n".join(lines))

    def _result(self) -> "TestResult":
        import msgspec  # noqa: PLC0415  see the module

        from miniprom.ruletest import run_test_file  # noqa: PLC0415
        from miniprom.ruletest.coverage import Coverage  # noqa: PLC0415
        from miniprom.ruletest.runner import TestOptions  # noqa: PLC0415

        is_covered = self.config.getoption(_COVERAGE_OPTION)
        coverage = self.config.stash.setdefault(_COVERAGE, Coverage()) if is_covered else None
        alone = msgspec.structs.replace(self._file, tests=(self._file.tests[self._position],))
        (result,) = run_test_file(alone, TestOptions(coverage=coverage))
        return result


class ScriptFile(pytest.File):
    """A script of `load` and `eval` statements. It is run once, by the first of its items."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item an `eval`."""
        from miniprom.promqltest.statements import Evaluation  # noqa: PLC0415  see the module

        for statement in self.script.statements:
            if isinstance(statement, Evaluation):
                query = " ".join(statement.query.split())
                shown = query if len(query) <= _QUERY_IN_NAME else f"{query[: _QUERY_IN_NAME - 3]}..."
                yield ScriptItem.from_parent(
                    self, name=f"{statement.line}: {shown}", query=query, number=statement.line
                )

    @cached_property
    def script(self) -> "Script":
        """The statements. Raises `CollectError`."""
        from miniprom.promqltest import ScriptError, parse_script  # noqa: PLC0415  see the module

        try:
            return parse_script(self.path.read_text(encoding="utf-8"), str(self.path))
        except (ScriptError, UnicodeDecodeError) as error:
            raise self.CollectError(str(error)) from error

    @cached_property
    def cases(self) -> "Mapping[int, CaseResult]":
        """What became of each `eval`, and of each `load` that failed, by its line."""
        from miniprom.promqltest import run_script  # noqa: PLC0415  see the module

        return {case.line: case for case in run_script(self.script)}


class ScriptItem(_TextItem):
    """One `eval` of a script."""

    def __init__(self, *, query: str, number: int, **node: Any) -> None:
        super().__init__(**node)
        self._query = query
        self._number = number
        self.line = number - 1

    def runtest(self) -> None:
        """Fails with what is not as expected, or with a `load` before that failed."""
        file = self.parent
        assert isinstance(file, ScriptFile)
        failed = [
            case
            for line, case in file.cases.items()
            if not case.passed and (line == self._number or (case.query == "load" and line < self._number))
        ]
        if failed:
            texts = (
                f"{self.path.name}:{case.line}: {case.query}\n    " + "\n    ".join(case.problems)
                for case in failed
            )
            raise ItemFailure("\n".join(texts))
