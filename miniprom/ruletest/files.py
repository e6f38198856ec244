"""Unit-test files: from YAML to sections. Source: upstream's docs/configuration/unit_testing_rules.md."""

import os

import msgspec

from collector.errors import ConfigError
from collector.schema import DurationMs, FileName, Section
from miniprom.api.params import parse_time_ms
from miniprom.config.decode import Decoder
from miniprom.config.load import decode_text, read_text

_DEFAULT_INTERVAL_MS = 60_000


class InputSeries(Section, frozen=True, kw_only=True):
    """One series in the notation of test scripts."""

    series: str
    values: str = ""


class ExpectedAlert(Section, frozen=True, kw_only=True):
    """A firing alert; its labels without `alertname`."""

    exp_labels: dict[str, str] = msgspec.field(default_factory=dict)
    exp_annotations: dict[str, str] = msgspec.field(default_factory=dict)


class AlertTest(Section, frozen=True, kw_only=True):
    """The alerts of one name that fire at a time, and no others."""

    eval_time_ms: DurationMs = msgspec.field(default=0, name="eval_time")
    alertname: str = ""
    exp_alerts: tuple[ExpectedAlert, ...] = ()

    def __post_init__(self) -> None:
        if not self.alertname:
            raise ConfigError("an alert_rule_test needs an alertname", key="alertname")


class ExpectedSample(Section, frozen=True, kw_only=True):
    """A sample of a query's result; a histogram stands in place of the value."""

    labels: str = ""
    value: float = 0.0
    histogram: str = ""


class QueryTest(Section, frozen=True, kw_only=True):
    """What a query answers at a time."""

    expr: str
    eval_time_ms: DurationMs = msgspec.field(default=0, name="eval_time")
    exp_samples: tuple[ExpectedSample, ...] = ()


class TestGroup(Section, frozen=True, kw_only=True):
    """Input series, and what is expected of rules and queries over them."""

    __test__ = False  # not one of pytest's

    name: str = ""
    interval_ms: DurationMs = msgspec.field(default=0, name="interval")
    input_series: tuple[InputSeries, ...] = ()
    alert_rule_test: tuple[AlertTest, ...] = ()
    promql_expr_test: tuple[QueryTest, ...] = ()
    external_labels: dict[str, str] = msgspec.field(default_factory=dict)
    external_url: str = ""
    start_timestamp: str = ""

    def __post_init__(self) -> None:
        try:
            _ = self.start_ms
        except ValueError as error:
            raise ConfigError(str(error), key="start_timestamp") from error

    @property
    def start_ms(self) -> int:
        """When the first samples are taken: Unix seconds or RFC 3339."""
        return parse_time_ms(self.start_timestamp) if self.start_timestamp else 0

    @property
    def last_eval_time_ms(self) -> int:
        """The time of the last expectation, from the start."""
        times = [test.eval_time_ms for test in self.alert_rule_test]
        return max(times + [test.eval_time_ms for test in self.promql_expr_test], default=0)


class TestFile(Section, frozen=True, kw_only=True):
    """A whole file."""

    __test__ = False  # not one of pytest's

    rule_files: tuple[FileName, ...] = ()
    evaluation_interval_ms: DurationMs = msgspec.field(default=0, name="evaluation_interval")
    group_eval_order: tuple[str, ...] = ()
    fuzzy_compare: bool = False
    tests: tuple[TestGroup, ...] = ()

    def __post_init__(self) -> None:
        repeated = [name for name in self.group_eval_order if self.group_eval_order.count(name) > 1]
        if repeated:
            raise ConfigError(f'group "{repeated[0]}" is given twice', key="group_eval_order")

    @property
    def interval_ms(self) -> int:
        """How often rules are evaluated."""
        return self.evaluation_interval_ms or _DEFAULT_INTERVAL_MS


def load_test_file(file_name: str) -> TestFile:
    """Read a file. Raises `ConfigFileError`."""
    decoder = Decoder(file_name, os.path.dirname(file_name))
    return decode_text(read_text(file_name), TestFile, decoder, file_name)
