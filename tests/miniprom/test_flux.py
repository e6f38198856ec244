"""`--flux.state` outside of a cluster; inside of one it is tested end to end."""

import pytest
from prometheus_client import CollectorRegistry

from collector.clock import VirtualClock
from collector.discovery.metrics import KubernetesMetrics
from miniprom.flux import FluxRecorder
from miniprom.settings import BadFlagError, settings_of
from tsdb import Store


def test_access_to_a_cluster_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    settings = settings_of({"flux.state": "true"})
    with pytest.raises(BadFlagError, match=r"^--flux\.state: not in a Kubernetes cluster.*see --kubernetes"):
        FluxRecorder(
            settings,
            Store(retention_ms=None),
            VirtualClock(),
            KubernetesMetrics(CollectorRegistry()),
            15_000,
        )
