"""From discovered labels to Alertmanagers' URLs. Source: upstream's notifier/alertmanager.go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from collector.relabel import NameScheme, compile_rules, relabel
from collector.target import ADDRESS, SCHEME, TargetGroup
from miniprom.config.sections import AlertmanagerConfig

_PATH: Final = "__alerts_path__"
_API_PATH: Final = "/api/v2/alerts"


@dataclass(frozen=True)
class Endpoints:
    """Where one section sends to, each URL once; and the URLs that relabelling dropped."""

    active: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def endpoints(
    config: AlertmanagerConfig, groups: Iterable[TargetGroup], scheme: NameScheme = "utf8"
) -> Endpoints:
    """The Alertmanagers of a section."""
    rules = compile_rules(config.relabel_configs, scheme)
    path = "/" + "/".join(part for part in (config.path_prefix + _API_PATH).split("/") if part)
    active: list[str] = []
    dropped: list[str] = []
    for group in groups:
        for own in group.targets:
            labels = {SCHEME: config.scheme, _PATH: path, **group.labels, **own}
            final = relabel(labels, rules)
            if final is None:
                dropped.append(_url(labels))
            elif final.get(ADDRESS):
                active.append(_url(final))
    return Endpoints(tuple(dict.fromkeys(active)), tuple(dict.fromkeys(dropped)))


def static_groups(config: AlertmanagerConfig) -> Sequence[TargetGroup]:
    """What the section itself names."""
    return [
        TargetGroup.of_addresses(static.targets, static.labels, str(position))
        for position, static in enumerate(config.static_configs)
    ]


def _url(labels: dict[str, str]) -> str:
    return f"{labels[SCHEME]}://{labels[ADDRESS]}{labels[_PATH]}"
