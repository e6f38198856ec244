"""What the linter says of the rules, for /rules."""

from collections.abc import Mapping, Sequence

from miniprom.api.services import Services
from miniprom.lint import lint
from miniprom.lint.stored import StoredData
from miniprom.rules.model import RecordingRule
from miniprom.rules.rule_state import RuleState
from query import Control


async def notes_of_rules(services: Services) -> Mapping[int, list[Mapping[str, str]]]:
    """The notes on every rule, by the `id` of its state. The work is done in a thread, as a query is.

    Raises `QueryError` when the queries' timeout is over.
    """
    states = [state for group in services.rules.groups() for state in group.rules]
    targets = services.scrape.active()
    kinds = {family: said.type.value for target in targets for family, said in target.metadata.items()}
    intervals_ms = {dict(target.labels).get("job", ""): target.interval_ms for target in targets}
    snapshot, now_ms = services.snapshot(), services.clock.now_ms()
    retention_ms = services.store.retention_ms or 0

    def work(control: Control) -> Mapping[int, list[Mapping[str, str]]]:
        data = StoredData(snapshot, services.engine, now_ms, retention_ms, kinds, intervals_ms, control)
        return _notes(states, data)

    return await services.workers.run_query(work, services.settings.query_timeout_ms)


def _notes(states: Sequence[RuleState], data: StoredData) -> Mapping[int, list[Mapping[str, str]]]:
    recorded = {state.rule.name for state in states if isinstance(state.rule, RecordingRule)}
    return {
        id(state): [
            {"check": note.check, "message": note.message} for note in lint(state.rule, data, recorded)
        ]
        for state in states
    }
