"""From a copy of the cluster's objects to target groups: what changed is rebuilt, the rest stays. No I/O.

A group remembers which objects it was made of, those included that it missed. When one of them changes,
comes or goes, the group is built anew, but not before somebody asks for the groups: a burst of events costs
one build.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from collector.discovery.kubernetes.objects import ObjectT
from collector.discovery.kubernetes.reflector import Change, Reflector, Selector
from collector.discovery.kubernetes.resources import Resource
from collector.discovery.kubernetes.roles import CLUSTER_WIDE, ROLE_OF_PLURAL, ROLES, watched
from collector.discovery_config import KubernetesConfig
from collector.target import TargetGroup

_Ref: TypeAlias = tuple[str, str]
"""A kind's plural, and an object's key."""


class KubernetesGroups:
    """The groups of one discovery. A namespace counts once all that its groups need was listed.

    Invariant: `_uses` and `_users` are each other's inverse.
    """

    def __init__(self, config: KubernetesConfig, namespaces: Sequence[str]) -> None:
        self._role = ROLES[config.role]
        self._attach = config.attach_metadata
        self.reflectors = _reflectors(config, namespaces)
        self._copies = {(copy.resource.plural, copy.namespace): copy for copy in self.reflectors}
        self._scopes = {copy.namespace for copy in self.reflectors if copy.resource is self._role.primary}
        self._ready: set[str] = set()
        self._groups: dict[str, TargetGroup] = {}
        self._uses: dict[str, set[_Ref]] = {}
        self._users: dict[_Ref, set[str]] = {}
        self._outdated: set[str] = set()

    def changed(self, resource: Resource[Any], changes: Iterable[Change[Any]]) -> bool:
        """Objects of a kind changed, or were listed; whether `groups` may have something new."""
        outdated: set[str] = set()
        for change in changes:
            key = change.object.metadata.key
            if resource is self._role.primary:
                outdated.add(key)
            outdated |= self._users.get((resource.plural, key), set())
        new = outdated - self._outdated
        self._outdated |= outdated
        return self._notice_ready() or any(self._scope(key) in self._ready for key in new)

    def groups(self) -> list[TargetGroup]:
        """All groups that have targets; those that nothing happened to are the same objects as before."""
        ready = {key for key in self._outdated if self._scope(key) in self._ready}
        for key in ready:
            self._rebuild(key)
        self._outdated -= ready
        return [group for group in self._groups.values() if group.targets]

    def _notice_ready(self) -> bool:
        """Whether a namespace has become ready."""
        waiting = self._scopes - self._ready
        ready = {
            scope
            for scope in waiting
            if all(copy.is_synced for copy in self.reflectors if copy.namespace in (scope, ""))
        }
        self._ready |= ready
        return bool(ready)

    def _scope(self, key: str) -> str:
        """The namespace, as watched, of an object of the role's kind: "" where all are watched together."""
        return "" if "" in self._scopes else key.partition("/")[0]

    def _rebuild(self, key: str) -> None:
        for ref in self._uses.pop(key, set()):
            self._users[ref].discard(key)
            if not self._users[ref]:
                del self._users[ref]
        item = self._find(self._role.primary, key)
        if item is None:
            self._groups.pop(key, None)
            return
        lookup = _RecordingLookup(self._find)
        group = self._role.build(item, lookup, self._attach)
        if group != self._groups.get(key):
            self._groups[key] = group
        self._uses[key] = lookup.used
        for ref in lookup.used:
            self._users.setdefault(ref, set()).add(key)

    def _find(self, resource: Resource[ObjectT], key: str) -> ObjectT | None:
        namespace, _, _ = key.rpartition("/")
        for scope in (namespace, ""):
            copy = self._copies.get((resource.plural, scope))
            if copy:
                found: ObjectT | None = copy.objects.get(key)
                return found
        return None


class _RecordingLookup:
    def __init__(self, find: Callable[[Resource[Any], str], Any]) -> None:
        self._find = find
        self.used: set[_Ref] = set()

    def get(self, resource: Resource[ObjectT], key: str) -> ObjectT | None:
        self.used.add((resource.plural, key))
        found: ObjectT | None = self._find(resource, key)
        return found


def _reflectors(config: KubernetesConfig, namespaces: Sequence[str]) -> list[Reflector[Any]]:
    selectors = {entry.role: Selector(entry.label, entry.field) for entry in config.selectors}
    found = []
    for resource in watched(config.role, config.attach_metadata):
        role = ROLE_OF_PLURAL.get(resource.plural)
        selector = selectors.get(role, Selector()) if role else Selector()
        scopes = ("",) if resource in CLUSTER_WIDE else tuple(dict.fromkeys(namespaces)) or ("",)
        found += [Reflector(resource, namespace, selector) for namespace in scopes]
    return found
