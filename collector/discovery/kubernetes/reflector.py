"""List, then watch: how a copy of the API server's objects is kept. Nothing here does I/O.

A reflector says what to ask next (`request`) and takes in what came back. It begins with a list, page by
page; from the list's resource version on it watches. A watch that ends is resumed where it ended; a version
that the server has forgotten (410 Gone) means to list again, and until that is done the old objects stay.
Source: Kubernetes API concepts, "Efficient detection of changes".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Generic

import msgspec

from collector.discovery.kubernetes.objects import (
    ApiStatus,
    KubeObject,
    ObjectList,
    ObjectT,
    WatchEvent,
)
from collector.discovery.kubernetes.resources import Resource
from collector.errors import DiscoveryError

PAGE_SIZE: Final = 500
GONE: Final = 410


class Event(StrEnum):
    """What became of an object; the values are those of the `event` label upstream."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Change(Generic[ObjectT]):
    """An object as it is now, or as it last was if the event is DELETE."""

    event: Event
    object: ObjectT


@dataclass(frozen=True)
class ApiRequest:
    """A GET at the API server. A watch answers with one event a line until it ends."""

    path: str
    params: Mapping[str, str]
    is_watch: bool


@dataclass(frozen=True)
class Selector:
    """Which objects of a kind; "" is no condition."""

    label: str = ""
    field: str = ""

    def params(self) -> dict[str, str]:
        given = {"labelSelector": self.label, "fieldSelector": self.field}
        return {name: value for name, value in given.items() if value}


@dataclass
class Reflector(Generic[ObjectT]):
    """A copy of the objects of one kind, in one namespace or in all ("").

    `objects` is by key; `is_synced` once the first list is complete.
    """

    resource: Resource[ObjectT]
    namespace: str = ""
    selector: Selector = Selector()
    objects: dict[str, ObjectT] = field(default_factory=dict)
    is_synced: bool = False
    _version: str = ""
    _continue: str = ""
    _listed: dict[str, ObjectT] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._page = msgspec.json.Decoder(ObjectList[self.resource.type])  # type: ignore[name-defined]  # by kind
        self._object = msgspec.json.Decoder(self.resource.type)

    def request(self, watch_seconds: int) -> ApiRequest:
        """What to ask now. A watch is to end by itself after `watch_seconds`."""
        params = self.selector.params()
        if self._version:
            params |= {
                "watch": "1",
                "allowWatchBookmarks": "true",
                "resourceVersion": self._version,
                "timeoutSeconds": str(watch_seconds),
            }
        else:
            params["limit"] = str(PAGE_SIZE)
            if self._continue:
                params["continue"] = self._continue
        return ApiRequest(self.resource.path(self.namespace), params, is_watch=bool(self._version))

    def page(self, body: bytes) -> list[Change[ObjectT]]:
        """Take in a page of a list; the last one brings the changes. Raises `DiscoveryError`."""
        try:
            page = self._page.decode(body)
        except msgspec.MsgspecError as error:
            raise DiscoveryError(f"unreadable list of {self.resource.plural}: {error}") from error
        self._listed |= {item.metadata.key: item for item in page.items or ()}
        self._continue = page.metadata.continue_
        if self._continue:
            return []
        listed, self._listed = self._listed, {}
        self._version = page.metadata.resource_version
        self.is_synced = True
        gone = [Change(Event.DELETE, old) for key, old in self.objects.items() if key not in listed]
        changes = [*gone, *(change for item in listed.values() for change in self._changes_by(item))]
        self.objects = listed
        return changes

    def line(self, line: bytes) -> list[Change[ObjectT]]:
        """Take in a line of a watch. Raises `DiscoveryError` when the watch is to be given up."""
        try:
            event = msgspec.json.decode(line, type=WatchEvent)
            if event.type == "ERROR":
                status = msgspec.json.decode(event.object, type=ApiStatus)
                self.refused(status.code)
                raise DiscoveryError(f"watching {self.resource.plural}: {status.code} {status.message}")
            if event.type == "BOOKMARK":
                self._version = msgspec.json.decode(event.object, type=KubeObject).metadata.resource_version
                return []
            item = self._object.decode(event.object)
        except msgspec.MsgspecError as error:
            self.refused(GONE)  # what the line said is lost, so that only a list can tell
            raise DiscoveryError(f"unreadable event of {self.resource.plural}: {error}") from error
        key = item.metadata.key
        self._version = item.metadata.resource_version
        if event.type == "DELETED":
            return [Change(Event.DELETE, item)] if self.objects.pop(key, None) else []
        changes = list(self._changes_by(item))
        self.objects[key] = item
        return changes

    def refused(self, status: int) -> None:
        """The server answered with an error: begin anew where it says that the version is too old."""
        if status == GONE:
            self._version = self._continue = ""
            self._listed = {}

    def _changes_by(self, item: ObjectT) -> Iterable[Change[ObjectT]]:
        old = self.objects.get(item.metadata.key)
        if old is None:
            yield Change(Event.ADD, item)
        elif old.metadata.resource_version != item.metadata.resource_version:
            yield Change(Event.UPDATE, item)
