"""The rule manager's own metrics, under upstream's names."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary

_BUCKETS: Final = (0.01, 0.1, 1, 10)
_GROUP: Final = ("rule_group",)


class RuleMetrics:
    """All of them; those of a group have its key (`file;name`) as label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str) -> Counter:
            help_ = f"The total number of {text}."
            return Counter(f"prometheus_rule_{name}", help_, _GROUP, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"prometheus_rule_group_{name}", f"The {text}.", _GROUP, registry=registry)

        def templates(name: str, what: str) -> Counter:
            help_ = f"The total number of template text {what}."
            return Counter(f"prometheus_template_text_{name}", help_, registry=registry)

        self.expansions = templates("expansions", "expansions")
        self.failed_expansions = templates("expansion_failures", "expansion failures")
        self._rule_durations = _durations("prometheus_rule_evaluation", "a rule to execute", registry)
        self._group_durations = _durations("prometheus_rule_group", "rule group evaluations", registry)
        self.missed = counter("group_iterations_missed", "rule group evaluations missed due to slow ones")
        self.iterations = counter("group_iterations", "scheduled rule group evaluations, executed or missed")
        self.evaluations = counter("evaluations", "rule evaluations")
        self.failures = counter("evaluation_failures", "rule evaluation failures")
        self.interval = gauge("interval_seconds", "interval of a rule group")
        self.last_evaluation = gauge("last_evaluation_timestamp_seconds", "time of the last evaluation")
        self.last_duration = gauge("last_duration_seconds", "duration of the last evaluation")
        self.last_rule_duration_sum = gauge("last_rule_duration_sum_seconds", "time that its rules took")
        self.last_restore_duration = gauge("last_restore_duration_seconds", "time to restore pending alerts")
        self.rules = gauge("rules", "number of rules")
        self.last_samples = gauge("last_evaluation_samples", "number of samples of the last evaluation")
        self._of_groups = (
            *(self.missed, self.iterations, self.evaluations, self.failures, self.interval),
            *(self.last_evaluation, self.last_duration, self.last_rule_duration_sum),
            *(self.last_restore_duration, self.rules, self.last_samples),
        )

    def start(self, key: str, interval_ms: int, rules: int) -> None:
        """Show a group before its first evaluation."""
        for metric in self._of_groups:
            metric.labels(key)
        self.interval.labels(key).set(interval_ms / 1000)
        self.rules.labels(key).set(rules)

    def forget(self, key: str) -> None:
        """Drop the metrics of a group that is no more."""
        for metric in self._of_groups:
            metric.remove(key)

    def observe_rule(self, seconds: float) -> None:
        """Count the evaluation of a rule."""
        for metric in self._rule_durations:
            metric.observe(seconds)

    def observe_group(self, seconds: float) -> None:
        """Count the evaluation of a group."""
        for metric in self._group_durations:
            metric.observe(seconds)


def _durations(prefix: str, what: str, registry: CollectorRegistry) -> tuple[Summary, Histogram]:
    text = f"The duration of {what}."
    return (
        Summary(f"{prefix}_duration_seconds", text, registry=registry),
        Histogram(f"{prefix}_duration_histogram_seconds", text, buckets=_BUCKETS, registry=registry),
    )
