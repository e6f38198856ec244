"""The labels of a scraped series: its own, its target's, and metric relabelling; and which are refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collector.config import ScrapeConfig
from collector.errors import LabelLimitError, ScrapeError
from collector.relabel import NameScheme, Rule, compile_rules, is_label_name, relabel
from tsdb import METRIC_NAME, Labels, labels_from

EXPORTED_PREFIX: Final = "exported_"

_LEGACY_METRIC_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_SHOWN_LENGTH: Final = 50


@dataclass(frozen=True)
class SeriesRules:
    """How a job makes the labels of a target's series. Limits of 0 are none; lengths are in bytes."""

    target_labels: Labels
    honor_labels: bool
    relabelling: Sequence[Rule]
    scheme: NameScheme
    label_limit: int
    label_name_length_limit: int
    label_value_length_limit: int

    @staticmethod
    def of(job: ScrapeConfig, target_labels: Labels) -> "SeriesRules":
        """The rules of a job for one of its targets."""
        return SeriesRules(
            target_labels,
            job.honor_labels,
            compile_rules(job.metric_relabel_configs, job.name_scheme),
            job.name_scheme,
            job.label_limit,
            job.label_name_length_limit,
            job.label_value_length_limit,
        )

    def apply(self, exposed: Labels) -> Labels | None:
        """The labels to store, or None if relabelling drops the series."""
        merge = merge_honoured if self.honor_labels else merge_renamed
        final = relabel(merge(exposed, self.target_labels), self.relabelling)
        return labels_from(final) if final else None

    def check(self, labels: Labels) -> None:
        """Raise `ScrapeError` for labels that must fail the whole scrape."""
        name = dict(labels).get(METRIC_NAME, "")
        if not name:
            raise ScrapeError(f"missing metric name ({METRIC_NAME} label)")
        if self.scheme == "legacy" and not _is_legacy(labels):
            raise ScrapeError(f"invalid metric name or label names: {_shown(labels)}")
        self._check_limits(name[:_SHOWN_LENGTH], labels)

    def _check_limits(self, metric: str, labels: Labels) -> None:
        count, limit = len(labels), self.label_limit
        if limit and count > limit:
            raise LabelLimitError(
                f"label_limit exceeded (metric: {metric}, number of labels: {count}, limit: {limit})"
            )
        if not (self.label_name_length_limit or self.label_value_length_limit):
            return
        for name, value in labels:
            length, limit = len(name.encode()), self.label_name_length_limit
            label = f"metric: {metric}, label name: {name[:_SHOWN_LENGTH]}"
            if limit and length > limit:
                raise LabelLimitError(
                    f"label_name_length_limit exceeded ({label}, length: {length}, limit: {limit})"
                )
            length, limit = len(value.encode()), self.label_value_length_limit
            if limit and length > limit:
                label += f', value: "{value[:_SHOWN_LENGTH]}"'
                raise LabelLimitError(
                    f"label_value_length_limit exceeded ({label}, length: {length}, limit: {limit})"
                )


def merge_honoured(exposed: Labels, target: Labels) -> dict[str, str]:
    """The target's labels fill in what the series lacks."""
    return {**dict(target), **dict(exposed)}


def merge_renamed(exposed: Labels, target: Labels) -> dict[str, str]:
    """The target's labels prevail; what they displace is kept as `exported_x`, prefixed until that is free.

    Shorter names go first, so that x and exported_x end up the same way on each scrape.
    """
    merged = dict(exposed + target)
    if len(merged) == len(exposed) + len(target):
        return merged
    own = dict(exposed)
    displaced = [(name, own[name]) for name, _ in target if name in own]
    for name, value in sorted(displaced, key=lambda label: len(label[0])):
        free = EXPORTED_PREFIX + name
        while free in merged:
            free = EXPORTED_PREFIX + free
        merged[free] = value
    return merged


def _is_legacy(labels: Labels) -> bool:
    return all(
        _LEGACY_METRIC_NAME.fullmatch(value) if name == METRIC_NAME else is_label_name(name, "legacy")
        for name, value in labels
    )


def _shown(labels: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
