"""The flags of the server, in one table: the parser, `--help` and /api/v1/status/flags read it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Flag:
    """One flag. `ignored` says why a flag that Prometheus's manifests pass has no effect here."""

    name: str
    default: str
    help: str
    is_switch: bool = False
    is_repeated: bool = False
    ignored: str = ""


def _switch(name: str, text: str, *, default: str = "false", ignored: str = "") -> Flag:
    return Flag(name, default, text, is_switch=True, ignored=ignored)


_NO_BLOCKS: Final = "there are no blocks on disk"
_NO_UI: Final = "the web UI is not there yet"
_PYTHON: Final = "it tunes the Go runtime"
_NO_REMOTE_READ: Final = "remote read is not served"
_NO_AUTO_RELOAD: Final = "the configuration is reloaded on SIGHUP and /-/reload only"

FLAGS: Final[tuple[Flag, ...]] = (
    Flag("config.file", "prometheus.yml", "Configuration file."),
    _switch("config.auto-reload", "Reload when files change.", ignored=_NO_AUTO_RELOAD),
    Flag("config.auto-reload-interval", "30s", "How often to look at the files.", ignored=_NO_AUTO_RELOAD),
    Flag("web.listen-address", "0.0.0.0:9090", "Address to listen on. Can be repeated.", is_repeated=True),
    Flag("web.external-url", "", "URL under which clients reach the server, for links."),
    Flag("web.route-prefix", "", "Prefix of all routes. Defaults to the path of --web.external-url."),
    Flag("web.page-title", "miniprom", "Title of the home page."),
    Flag("web.cors.origin", ".*", "Regex of allowed CORS origins, fully anchored."),
    Flag("web.max-connections", "512", "Limit of connections.", ignored="connections are not limited"),
    Flag("web.read-timeout", "5m", "Idle time after which a connection is closed."),
    _switch("web.enable-lifecycle", "Enable shutdown and reload by HTTP request."),
    _switch("web.enable-remote-write-receiver", "Accept remote write requests at /api/v1/write."),
    Flag(
        "web.remote-write-receiver.accepted-protobuf-messages",
        "prometheus.WriteRequest,io.prometheus.write.v2.Request",
        "Messages that remote write may be in.",
        is_repeated=True,
        ignored="both are accepted",
    ),
    Flag("web.max-notifications-subscribers", "16", "Readers of notifications.", ignored=_NO_UI),
    Flag("web.search.max-limit", "10000", "Largest answer of a search.", ignored=_NO_UI),
    _switch("web.enable-admin-api", "Enable the admin API: deleting, importing, snapshots."),
    _switch("web.enable-otlp-receiver", "Accept OTLP writes.", ignored="the OTLP receiver is not there yet"),
    Flag(
        "web.config.file", "", "TLS and authentication.", ignored="TLS and authentication are not there yet"
    ),
    Flag("web.console.templates", "consoles", "Console templates.", ignored="there are no consoles"),
    Flag("web.console.libraries", "console_libraries", "Console libraries.", ignored="there are no consoles"),
    Flag("web.user-assets", "", "Static assets under /user.", ignored=_NO_UI),
    Flag("storage.tsdb.retention.time", "", "How long to keep samples, exactly. Defaults to 2h."),
    Flag("storage.tsdb.retention", "", "Older spelling of --storage.tsdb.retention.time."),
    Flag("storage.tsdb.path", "data/", "Directory of the log and its snapshots; empty: memory only."),
    Flag("storage.wal.sync", "interval", "When the log reaches the disk itself: never, interval, always."),
    Flag("storage.tsdb.retention.size", "", "Bytes of memory that samples may take, such as 512MB."),
    Flag(
        "storage.memory-limit",
        "",
        "Memory that the store may take: bytes such as 1GB, or a share such as 60% of what there is. "
        "Over it, new series are refused, then the retention is shortened.",
    ),
    Flag("storage.tsdb.min-block-duration", "", "Block size.", ignored=_NO_BLOCKS),
    Flag("storage.tsdb.max-block-duration", "", "Block size.", ignored=_NO_BLOCKS),
    Flag(
        "storage.tsdb.wal-segment-size", "", "Size of log segments.", ignored="snapshots keep the log short"
    ),
    _switch("storage.tsdb.no-lockfile", "No lock file.", ignored="two processes would spoil the log"),
    _switch(
        "storage.tsdb.wal-compression", "Compress the log.", default="true", ignored="only changes are logged"
    ),
    Flag("storage.tsdb.head-chunks-write-queue-size", "0", "Size of a queue.", ignored=_NO_BLOCKS),
    Flag("storage.tsdb.delay-compact-file.path", "", "File of uploaded blocks.", ignored=_NO_BLOCKS),
    _switch("storage.tsdb.allow-overlapping-blocks", "Overlapping blocks.", ignored=_NO_BLOCKS),
    Flag(
        "storage.remote.flush-deadline", "1m", "Deadline to flush.", ignored="remote write out is not there"
    ),
    Flag("storage.remote.read-sample-limit", "50000000", "Samples a read.", ignored=_NO_REMOTE_READ),
    Flag("storage.remote.read-concurrent-limit", "10", "Reads at once.", ignored=_NO_REMOTE_READ),
    Flag("storage.remote.read-max-bytes-in-frame", "1048576", "Size of a frame.", ignored=_NO_REMOTE_READ),
    Flag("query.lookback-delta", "5m", "How far an instant looks back for the newest sample."),
    Flag("query.timeout", "2m", "Time after which a query is aborted."),
    Flag("query.max-concurrency", "20", "Queries that run at the same time; the rest waits."),
    Flag("query.max-samples", "50000000", "Samples that one query may hold in memory."),
    Flag("rules.alert.resend-delay", "1m", "Least time between two messages about an alert."),
    Flag("rules.alert.for-grace-period", "10m", "Least `for` to be restored, and least time left of it."),
    Flag("rules.alert.for-outage-tolerance", "1h", "Longest outage after which `for` is restored."),
    Flag(
        "rules.max-concurrent-evals",
        "4",
        "Rules that are evaluated at once.",
        ignored="independent rules of a group are evaluated together",
    ),
    Flag("alerting.sink-config", "", "File that says who is told of alerts without an Alertmanager."),
    Flag("alertmanager.notification-queue-capacity", "10000", "Alerts that may wait for an Alertmanager."),
    Flag("alertmanager.notification-batch-size", "256", "Alerts in one message to an Alertmanager."),
    _switch(
        "alertmanager.drain-notification-queue-on-shutdown",
        "Send alerts that wait before shutting down.",
        default="true",
    ),
    _switch(
        "kubernetes.monitors",
        "Scrape what PodMonitor and ServiceMonitor objects name, and evaluate PrometheusRule objects.",
    ),
    _switch("flux.state", "Watch the objects of Flux, and write gotk_resource_info."),
    _switch("flux.old-metrics", "With --flux.state: gotk_reconcile_condition and gotk_suspend_status, too."),
    Flag(
        "kubernetes.kubeconfig",
        "",
        "Access for --kubernetes.monitors and --flux.state. Defaults to that of the pod.",
    ),
    _switch("auto-gomaxprocs", "Go threads.", default="true", ignored=_PYTHON),
    _switch("auto-gomemlimit", "Go memory limit.", default="true", ignored=_PYTHON),
    Flag("auto-gomemlimit.ratio", "0.9", "Go memory limit.", ignored=_PYTHON),
    Flag("auto-gomemlimit.refresh-interval", "0s", "Go memory limit.", ignored=_PYTHON),
    Flag("enable-feature", "", "Comma separated features to enable.", is_repeated=True),
    Flag("log.level", "info", "One of debug, info, warn, error."),
    Flag("log.format", "logfmt", "One of logfmt, json."),
)

FEATURES: Final[dict[str, str]] = {
    "promql-experimental-functions": "",
    "promql-delayed-name-removal": "",
    "promql-extended-range-selectors": "",
    "promql-binop-fill-modifiers": "",
    "promql-duration-expr": "it is always on",
    "native-histograms": "it is always on",
    "ooo-native-histograms": "native histograms out of order are refused",
    "promql-at-modifier": "it is always on",
    "promql-negative-offset": "it is always on",
    "remote-write-receiver": "use --web.enable-remote-write-receiver instead",
    "auto-reload-config": "the configuration is reloaded on SIGHUP only",
    "exemplar-storage": "exemplars are not stored",
    "memory-snapshot-on-shutdown": "it is always on",
    "extra-scrape-metrics": "use extra_scrape_metrics in the configuration file instead",
    "concurrent-rule-eval": "independent rules of a group are evaluated together anyway",
    "promql-per-step-stats": "",
    "use-start-timestamps": "it is not there yet",
    "st-storage": "it is not there yet",
    "st-synthesis": "it is not there yet",
    "created-timestamp-zero-ingestion": "it is not there yet",
    "type-and-unit-labels": "it is not there yet",
    "metadata-wal-records": "metadata comes with the next scrape",
    "delayed-compaction": _NO_BLOCKS,
    "xor2-encoding": _NO_BLOCKS,
    "histograms-st-encoding": _NO_BLOCKS,
    "use-uncached-io": _NO_BLOCKS,
    "fast-startup": _NO_BLOCKS,
    "old-ui": _NO_UI,
    "search-api": "it is not there yet",
    "otlp-deltatocumulative": "the OTLP receiver is not there yet",
    "otlp-native-delta-ingestion": "the OTLP receiver is not there yet",
    "no-default-scrape-port": "it is always on",
    "new-service-discovery-manager": "it is always on",
    "expand-external-labels": "it is always on",
    "agent": "there is no agent mode",
}
"""Features of Prometheus, and why naming one changes nothing ("": it does)."""
