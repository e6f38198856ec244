"""What the label functions of all kinds share. Pure."""

import re
from collections.abc import Iterator
from typing import Final, Protocol, TypeAlias

from collector.discovery.kubernetes.objects import ObjectMeta, ObjectT
from collector.discovery.kubernetes.resources import NAMESPACES, NODES, Resource

LabelSet: TypeAlias = dict[str, str]

META: Final = "__meta_kubernetes_"
NAMESPACE: Final = META + "namespace"

_NO_LABEL_CHARACTER: Final = re.compile(r"[^a-zA-Z0-9_]")


class Lookup(Protocol):
    """Finds the objects that an object speaks of."""

    def get(self, resource: Resource[ObjectT], key: str) -> ObjectT | None:
        """The object of a kind with a key, if there is one."""
        ...


def meta_name(text: str) -> str:
    """A text as a part of a label name; upstream's SanitizeLabelName."""
    return _NO_LABEL_CHARACTER.sub("_", text)


def meta_bool(value: bool) -> str:
    """A truth value as upstream writes it."""
    return "true" if value else "false"


def host_port(host: str, port: int) -> str:
    """An address; IPv6 hosts in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def object_labels(metadata: ObjectMeta, role: str) -> LabelSet:
    """An object's name, labels and annotations."""
    return {f"{META}{role}_name": metadata.name, **dict(_attached(metadata, role))}


def namespace_labels(lookup: Lookup, name: str) -> LabelSet:
    """Labels and annotations of a namespace; its name is known anyway."""
    namespace = lookup.get(NAMESPACES, name)
    return dict(_attached(namespace.metadata, "namespace")) if namespace else {}


def node_labels(lookup: Lookup, name: str | None) -> LabelSet:
    """Name, labels and annotations of a node that lends them to its targets."""
    node = lookup.get(NODES, name) if name else None
    return object_labels(node.metadata, "node") if node else {}


def _attached(metadata: ObjectMeta, kind: str) -> Iterator[tuple[str, str]]:
    for what, pairs in (("label", metadata.labels), ("annotation", metadata.annotations)):
        for name, value in (pairs or {}).items():
            yield f"{META}{kind}_{what}_{meta_name(name)}", value
            yield f"{META}{kind}_{what}present_{meta_name(name)}", "true"
