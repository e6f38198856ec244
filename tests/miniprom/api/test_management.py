"""Probes and lifecycle."""

import os
import threading
from pathlib import Path

import pytest

from miniprom.api.services import Phase
from tests.miniprom.api.harness import Api, serving


def test_healthy_and_ready_say_so(api: Api) -> None:
    assert api.get("/-/healthy").text == "Prometheus Server is Healthy.\n"
    assert api.get("/-/ready").text == "Prometheus Server is Ready.\n"


def test_probes_answer_head(api: Api) -> None:
    assert api.request("HEAD", "/-/ready").status == 200


@pytest.mark.parametrize(("phase", "stopping"), [(Phase.STARTING, "false"), (Phase.STOPPING, "true")])
def test_only_probes_of_health_are_answered_out_of_service(phase: Phase, stopping: str) -> None:
    with serving() as api:
        api.server.services.phase = phase
        ready, healthy = api.get("/-/ready"), api.get("/-/healthy")
        query, metrics = api.get("/api/v1/query", {"query": "1"}), api.get("/metrics")
    assert (ready.status, ready.text) == (503, "Service Unavailable")
    assert ready.headers["X-Prometheus-Stopping"] == stopping
    assert query.status == 503
    assert healthy.status == metrics.status == 200


@pytest.mark.parametrize("path", ["/-/reload", "/-/quit"])
def test_lifecycle_is_forbidden_unless_enabled(api: Api, path: str) -> None:
    answer = api.post(path)
    assert (answer.status, answer.text) == (403, "Lifecycle API is not enabled.")


@pytest.mark.parametrize("path", ["/-/reload", "/-/quit"])
def test_lifecycle_by_get_is_not_allowed(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.text) == (405, "Only POST or PUT requests allowed")


def test_quit_asks_the_server_to_stop() -> None:
    with serving(**{"web.enable-lifecycle": "true"}) as api:
        answer = api.request("PUT", "/-/quit")
        assert api.server.stopped.is_set()
    assert answer.text == "Requesting termination... Goodbye!"


def test_reload_of_a_broken_file_keeps_the_old_configuration(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text("global: {scrape_interval: 7s}\n")
    with serving(**{"web.enable-lifecycle": "true", "config.file": str(file)}) as api:
        assert api.post("/-/reload").status == 200
        file.write_text("global: {scrape_intervall: 8s}\n")
        broken = api.post("/-/reload")
        yaml = api.get("/api/v1/status/config").data["yaml"]
        succeeded = api.get("/api/v1/status/runtimeinfo").data["reloadConfigSuccess"]
        metrics = api.get("/metrics").text
    assert broken.status == 500
    assert broken.text.startswith("failed to reload config: ")
    assert "prometheus.yml:1" in broken.text
    assert "scrape_interval: 7s" in yaml
    assert succeeded is False
    assert "prometheus_config_last_reload_successful 0.0" in metrics


def test_requests_are_answered_while_a_reload_reads_its_files(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    os.mkfifo(file)  # who opens it waits for the other side
    at_last = threading.Timer(5, lambda: file.write_text("{}"))
    at_last.start()
    with serving(**{"config.file": str(file)}) as api:
        reload = api.begin(api.server.reload())
        assert api.get("/-/healthy").status == 200
        assert not reload.done()
        at_last.cancel()
        file.write_text("global: {scrape_interval: 7s}")
        api.finish(reload)
        assert "scrape_interval: 7s" in api.get("/api/v1/status/config").data["yaml"]


def test_reload_that_cannot_write_its_query_log_keeps_the_old_configuration(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text("{}")
    with serving(**{"config.file": str(file), "web.enable-lifecycle": "true"}) as api:
        file.write_text(f"global: {{scrape_interval: 7s, query_log_file: {tmp_path}/missing/queries.log}}")
        refused = api.post("/-/reload")
        config = api.get("/api/v1/status/config").data["yaml"]
    assert (refused.status, "query_log_file" in refused.text) == (500, True)
    assert "7s" not in config
