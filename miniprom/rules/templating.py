"""The templates of alerts' labels and annotations, as rules use them.

The template language is imported with the first template: a server without alerts does without.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from query import Engine, Result
from tsdb import Snapshot
from tsdb.histogram import FloatHistogram

if TYPE_CHECKING:
    from miniprom.templates import Choice, Template

_log: Final = logging.getLogger(__name__)
_OPENING: Final = "{{"
_PREAMBLE: Final = 112
"""Upstream puts definitions of `$labels` and others in front of a template, and its columns count them."""


@dataclass
class Expander:
    """Expands the templates of one evaluation. `snapshot` and `time_ms` are what `query` in them sees.

    `expansions` counts the texts so far, `failures` those of them that have a fault. `choices`, if given,
    gathers by text what templates chose on the way.
    """

    engine: Engine
    snapshot: Snapshot
    time_ms: int
    external_labels: Mapping[str, str]
    external_url: str
    expansions: int = 0
    failures: int = 0
    choices: "dict[str, set[Choice]] | None" = None

    def of(
        self, rule_name: str, labels: Mapping[str, str], value: float | FloatHistogram
    ) -> Callable[[str], str]:
        """Expands texts for one series. A fault becomes the text, as upstream does it."""

        def expanded(text: str) -> str:
            self.expansions += 1
            if not is_template(text):
                return text
            from miniprom.templates import TemplateData, TemplateError, expand  # noqa: PLC0415  see above

            data = TemplateData(labels, value, self.external_labels, self.external_url, self.time_ms)
            made = None if self.choices is None else self.choices.setdefault(text, set())
            try:
                return expand(parsed(text), data, self._query, made)
            except TemplateError as error:
                self.failures += 1
                reason = error.described(f"__alert_{rule_name}", preamble=_PREAMBLE)
                _log.warning("Expanding alert template failed", extra={"alert": rule_name, "err": reason})
                return f"<error expanding template: {reason}>"

        return expanded

    def _query(self, text: str) -> Result:
        return self.engine.instant(self.snapshot, text, self.time_ms)


def is_template(text: str) -> bool:
    """Whether there is anything to expand."""
    return _OPENING in text


def asks_queries(text: str) -> bool:
    """Whether expanding the text may query the store."""
    return is_template(text) and "query" in text


def template_problem(text: str) -> str:
    """What is wrong with a template, "" if nothing is."""
    if not is_template(text):
        return ""
    from miniprom.templates import TemplateError  # noqa: PLC0415  see above

    try:
        parsed(text)
    except TemplateError as error:
        return str(error)
    return ""


@lru_cache(4096)
def parsed(text: str) -> "Template":
    """The template that a text is, parsed once. Raises `TemplateError`."""
    from miniprom.templates import Template  # noqa: PLC0415  see above

    return Template.parse(text)
