"""What is read of an object of Flux."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collector.discovery.kubernetes.objects import KubeObject, ObjectMeta, Part
from collector.flux.kinds import FieldPath


class FluxMeta(ObjectMeta, frozen=True, kw_only=True):
    deletion_timestamp: str | None = None


class FluxObject(KubeObject, frozen=True, kw_only=True):
    """An object of any kind of Flux; what stands in it is the controllers' business, and never trusted."""

    metadata: FluxMeta
    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None

    @property
    def is_suspended(self) -> bool:
        """Whether a person asked the controllers to leave it alone."""
        return bool((self.spec or {}).get("suspend"))

    def text_at(self, path: FieldPath) -> str:
        """A string, number or truth value in the object as text; "" where there is none."""
        found: Any = {"spec": self.spec, "status": self.status}
        for step in path:
            if isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            else:
                return ""
        if isinstance(found, bool):
            return "true" if found else "false"
        return str(found) if isinstance(found, str | int | float) else ""

    def ready(self) -> "ReadyCondition | None":
        """The Ready condition, where the controllers have set one."""
        conditions = (self.status or {}).get("conditions")
        for condition in conditions if isinstance(conditions, list) else ():
            if isinstance(condition, Mapping) and condition.get("type") == "Ready":
                changed_at = str(condition.get("lastTransitionTime", ""))
                return ReadyCondition(
                    status=str(condition.get("status", "")), changed_ms=_time_ms(changed_at)
                )
        return None


class ReadyCondition(Part, frozen=True, kw_only=True):
    """`status` is True, False or Unknown; `changed_ms` is None where the time can't be read."""

    status: str
    changed_ms: int | None


def _time_ms(text: str) -> int | None:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return None
