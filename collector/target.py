"""Targets: from discovered labels, through relabelling, to a URL; upstream's PopulateLabels and URL."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from collector.config import ScrapeConfig
from collector.errors import TargetError, UnitError
from collector.relabel import Rule, compile_rules, relabel
from collector.units import format_duration_ms, parse_duration_ms
from tsdb import Labels, labels_from

ADDRESS: Final = "__address__"
SCHEME: Final = "__scheme__"
METRICS_PATH: Final = "__metrics_path__"
SCRAPE_INTERVAL: Final = "__scrape_interval__"
SCRAPE_TIMEOUT: Final = "__scrape_timeout__"
PARAM_PREFIX: Final = "__param_"
META_PREFIX: Final = "__meta_"
RESERVED_PREFIX: Final = "__"

HISTOGRAM_SETTINGS: Final = {
    "convert_classic_histograms_to_nhcb": "convert classic histograms to nhcb",
    "always_scrape_classic_histograms": "always scrape classic histograms",
    "scrape_native_histograms": "scrape native histograms",
}
"""Keys of a job that relabelling may change for a target, as labels between double underscores."""

# Go's strconv.ParseBool.
_BOOLS: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


@dataclass(frozen=True)
class TargetGroup:
    """Targets that were discovered together: each target's own labels, and those that all of them share."""

    targets: Sequence[Mapping[str, str]]
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    @staticmethod
    def of_addresses(addresses: Iterable[str], labels: Mapping[str, str], source: str) -> "TargetGroup":
        """The group of a `static_configs` entry."""
        return TargetGroup([{ADDRESS: address} for address in addresses], labels, source)


@dataclass(frozen=True)
class Target:
    """One endpoint to scrape.

    `labels` are what its series get; `discovered_labels` are those before relabelling. Targets of a job with
    one `identity` are one target.
    """

    labels: Labels
    discovered_labels: Labels = field(compare=False)
    url: str
    interval_ms: int
    timeout_ms: int
    identity: int
    histogram_settings: Mapping[str, bool] = field(default_factory=dict, hash=False)
    """The keys of the job that are otherwise for this target."""

    @property
    def instance(self) -> str:
        return dict(self.labels).get("instance", "")


@dataclass(frozen=True)
class Resolved:
    """What became of the discovered targets of a job."""

    active: tuple[Target, ...]
    dropped: tuple[Labels, ...]
    """The discovered labels of those that relabelling dropped."""
    failures: tuple[str, ...]


def resolve(job: ScrapeConfig, groups: Iterable[TargetGroup]) -> Resolved:
    """The targets of a job, each once, in order of discovery. Requires: a job with its defaults filled in."""
    rules = compile_rules(job.relabel_configs, job.name_scheme)
    active: dict[int, Target] = {}
    dropped: list[Labels] = []
    failures: list[str] = []
    for group in groups:
        for position, own in enumerate(group.targets):
            discovered = discovered_labels(job, own, group.labels)
            try:
                target = make_target(job, discovered, rules)
            except TargetError as error:
                failures.append(f"instance {position} in group {group.source}: {error}")
                continue
            if target is None:
                dropped.append(labels_from(discovered))
            else:
                active.setdefault(target.identity, target)
    return Resolved(tuple(active.values()), tuple(dropped), tuple(failures))


def discovered_labels(job: ScrapeConfig, own: Mapping[str, str], shared: Mapping[str, str]) -> dict[str, str]:
    """The labels before relabelling: the target's, its group's, and what the job sets for all."""
    defaults = {
        "job": job.job_name,
        SCRAPE_INTERVAL: format_duration_ms(job.scrape_interval_ms),
        SCRAPE_TIMEOUT: format_duration_ms(job.scrape_timeout_ms),
        METRICS_PATH: job.metrics_path,
        SCHEME: job.scheme,
        **{f"__{key}__": "true" if getattr(job, key) else "false" for key in HISTOGRAM_SETTINGS},
        **{PARAM_PREFIX + name: values[0] for name, values in job.params.items() if values},
    }
    return {**defaults, **_non_empty(shared), **_non_empty(own)}


def make_target(job: ScrapeConfig, discovered: Mapping[str, str], rules: Sequence[Rule]) -> Target | None:
    """The target that relabelling makes of discovered labels; None if it drops them. Raises `TargetError`."""
    final = relabel(discovered, rules)
    if final is None:
        return None
    address = final.get(ADDRESS, "")
    if not address:
        raise TargetError("no address")
    if "/" in address:
        raise TargetError(f'"{address}" is not a valid hostname')
    interval_ms = _duration_label(final, SCRAPE_INTERVAL, "scrape interval")
    timeout_ms = _duration_label(final, SCRAPE_TIMEOUT, "scrape timeout")
    if timeout_ms > interval_ms:
        raise TargetError(
            "scrape timeout cannot be greater than scrape interval "
            f'("{final[SCRAPE_TIMEOUT]}" > "{final[SCRAPE_INTERVAL]}")'
        )
    kept = {name: value for name, value in final.items() if not name.startswith(META_PREFIX)}
    kept.setdefault("instance", address)
    url = _url(job, kept)
    return Target(
        labels=labels_from({n: v for n, v in kept.items() if not n.startswith(RESERVED_PREFIX)}),
        discovered_labels=labels_from(discovered),
        url=url,
        interval_ms=interval_ms,
        timeout_ms=timeout_ms,
        identity=_identity(labels_from(kept), url),
        histogram_settings=_histogram_settings(job, kept),
    )


def _duration_label(labels: Mapping[str, str], name: str, meaning: str) -> int:
    try:
        duration_ms = parse_duration_ms(labels.get(name, ""))
    except UnitError as error:
        raise TargetError(f"error parsing {meaning}: {error}") from error
    if duration_ms == 0:
        raise TargetError(f"{meaning} cannot be 0")
    return duration_ms


def _histogram_settings(job: ScrapeConfig, labels: Mapping[str, str]) -> dict[str, bool]:
    given = {key: labels[f"__{key}__"] for key in HISTOGRAM_SETTINGS if labels.get(f"__{key}__")}
    for key, text in given.items():
        if text not in _BOOLS:
            raise TargetError(
                f'error parsing {HISTOGRAM_SETTINGS[key]}: expected true or false, got "{text}"'
            )
    return {key: _BOOLS[text] for key, text in given.items() if _BOOLS[text] != bool(getattr(job, key))}


def _url(job: ScrapeConfig, labels: Mapping[str, str]) -> str:
    """`__param_x` replaces the first value of parameter x; parameters are ordered by name, as Go does."""
    params = {name: list(values) for name, values in job.params.items()}
    for label, value in labels.items():
        if label.startswith(PARAM_PREFIX):
            name = label.removeprefix(PARAM_PREFIX)
            params[name] = [value, *params.get(name, [])[1:]]
    path = quote(labels.get(METRICS_PATH, ""), safe="/$&+,:;=@")
    if path and not path.startswith("/"):
        path = "/" + path
    query = urlencode(sorted(params.items()), doseq=True)
    return f"{labels.get(SCHEME, '')}://{labels[ADDRESS]}{path}{'?' if query else ''}{query}"


def _identity(labels: Labels, url: str) -> int:
    """64 bits that differ between targets and last from run to run: they place the scrape in time."""
    digest = hashlib.blake2b(digest_size=8)
    for text in (part for pair in labels for part in pair):
        digest.update(text.encode() + b"\xff")
    digest.update(url.encode())
    return int.from_bytes(digest.digest())


def _non_empty(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if value}
