"""The templates of alerts' labels and annotations, as rules use them."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from miniprom.templates import Template, TemplateData, TemplateError, expand
from query import Engine, Result
from tsdb import Snapshot

_log: Final = logging.getLogger(__name__)
_OPENING: Final = "{{"
_parsed: Final = lru_cache(4096)(Template.parse)


@dataclass(frozen=True)
class Expander:
    """Expands the templates of one evaluation. `snapshot` and `time_ms` are what `query` in them sees."""

    engine: Engine
    snapshot: Snapshot
    time_ms: int
    external_labels: Mapping[str, str]
    external_url: str

    def of(self, rule_name: str, labels: Mapping[str, str], value: float) -> Callable[[str], str]:
        """Expands texts for one series. A fault becomes the text, as upstream does it."""
        data = TemplateData(labels, value, self.external_labels, self.external_url)

        def expanded(text: str) -> str:
            if not is_template(text):
                return text
            try:
                return expand(_parsed(text), data, self._query)
            except TemplateError as error:
                _log.warning("Expanding alert template failed", extra={"alert": rule_name, "err": str(error)})
                return f"<error expanding template: {error}>"

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
    try:
        _parsed(text)
    except TemplateError as error:
        return str(error)
    return ""
