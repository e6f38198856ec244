import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.miniprom.fake.serving import Fake


class Page(BaseHTTPRequestHandler):
    scrapes = 0

    def do_GET(self) -> None:
        Page.scrapes += 1
        body = f"# TYPE c counter\nc {Page.scrapes}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class calls it so
        pass


@pytest.fixture
def scraped(fake: Fake) -> Iterator[str]:
    """The address of a target of the job j, scraped every 15 s. Its counter has counted the scrapes."""
    Page.scrapes = 0
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        address = f"127.0.0.1:{server.server_port}"
        job = f"{{job_name: j, scrape_interval: 15s, static_configs: [{{targets: ['{address}']}}]}}"
        fake.control("POST", "config", {"config": f"scrape_configs: [{job}]"})
        yield address
        server.shutdown()
        thread.join()


def test_every_due_scrape_happens_while_the_clock_advances(fake: Fake, scraped: str) -> None:
    fake.advance("5m")
    assert Page.scrapes == 20
    assert len(fake.points("c[5m]")) == 20
    assert fake.values("up") == {f"instance={scraped},job=j": "1"}


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("target_down", "connection refused"),
        ("target_slow", "context deadline exceeded"),
        ("target_garbage", "expected"),
    ],
)
def test_faulty_target_is_down_and_its_series_end_until_it_is_mended(
    fake: Fake, scraped: str, kind: str, error: str
) -> None:
    fake.advance("1m")
    fake.control("POST", "faults", {"kind": kind, "job": "j", "instance": scraped})
    fake.advance("15s")
    assert list(fake.values("up").values()) == ["0"]
    assert fake.values("c") == {}
    [target] = fake.ask("GET", "/api/v1/targets").json["data"]["activeTargets"]
    assert error in target["lastError"]
    fake.control("DELETE", "faults")
    fake.advance("15s")
    assert list(fake.values("up").values()) == ["1"]
    assert len(fake.values("c")) == 1


def test_counters_that_were_reset_go_on_from_zero(fake: Fake, scraped: str) -> None:
    fake.advance("1m")
    assert list(fake.values("c").values()) == ["4"]
    fake.control("POST", "faults", {"kind": "target_counter_reset", "job": "j"})
    fake.advance("15s")
    assert list(fake.values("c").values()) == ["0"]
    fake.control("DELETE", "faults")
    fake.advance("30s")
    assert list(fake.values("c").values()) == ["2"]
    assert list(fake.values("resets(c[10m])").values()) == ["1"]


def test_fault_of_another_job_or_instance_leaves_a_target_alone(fake: Fake, scraped: str) -> None:
    fake.control("POST", "faults", {"kind": "target_down", "job": "other"})
    fake.control("POST", "faults", {"kind": "target_down", "instance": "other"})
    fake.advance("15s")
    assert fake.values("up") == {f"instance={scraped},job=j": "1"}


def test_counted_fault_of_targets_is_over_after_as_many_scrapes(fake: Fake, scraped: str) -> None:
    fake.control("POST", "faults", {"kind": "target_down", "after": 1, "times": 2})
    fake.advance("75s")
    assert [value for _, value in fake.points("up[75s]")] == ["1", "0", "0", "1", "1"]


def test_faults_meet_targets_of_the_test_too(fake: Fake) -> None:
    fake.control("POST", "faults", {"kind": "target_down", "job": "j", "times": 1})
    assert fake.control("POST", "scrape", {"body": "a 1\n", "job": "j"})["up"] == 0
    assert fake.control("POST", "scrape", {"body": "a 1\n", "job": "k"})["up"] == 1


def test_target_of_the_test_is_scraped_at_once(fake: Fake) -> None:
    scrape = {"body": "# TYPE a gauge\na 1\nb 2\n", "job": "j", "instance": "i", "labels": {"zone": "z"}}
    assert fake.control("POST", "scrape", scrape) == {"up": 1, "samples": 2, "error": None}
    assert fake.values("a") == {"instance=i,job=j,zone=z": "1"}
    assert fake.values("up") == {"instance=i,job=j,zone=z": "1"}
    fake.advance("15s")
    fake.control("POST", "scrape", {**scrape, "body": "a 5\n"})
    assert fake.values("a") == {"instance=i,job=j,zone=z": "5"}
    assert fake.values("b") == {}


def test_failed_scrape_sets_up_to_zero_and_ends_the_series(fake: Fake) -> None:
    fake.control("POST", "scrape", {"body": "a 1\n"})
    fake.advance("15s")
    answer = fake.control("POST", "scrape", {"error": "it burns"})
    assert answer == {"up": 0, "samples": 0, "error": "it burns"}
    assert fake.values("up") == {"instance=test,job=test": "0"}
    assert fake.values("a") == {}


def test_page_that_is_no_exposition_fails_the_scrape(fake: Fake) -> None:
    answer = fake.control("POST", "scrape", {"body": "<html>\n"})
    assert answer["up"] == 0
    assert answer["error"]


def test_target_of_the_test_follows_the_job_of_its_name(fake: Fake) -> None:
    rule = "{source_labels: [__name__], regex: b, action: drop}"
    config = f"scrape_configs: [{{job_name: j, metric_relabel_configs: [{rule}]}}]"
    fake.control("POST", "config", {"config": config})
    fake.control("POST", "scrape", {"body": "a 1\nb 1\n", "job": "j"})
    assert len(fake.values("a")) == 1
    assert fake.values("b") == {}


def test_target_can_be_scraped_once_at_a_time_only(fake: Fake) -> None:
    fake.control("POST", "scrape", {"body": "a 1\n"})
    assert "advance the clock first" in fake.refused("scrape", {"body": "a 2\n"})
    fake.control("POST", "scrape", {"body": "a 2\n", "instance": "other"})


def test_scrape_wants_one_of_body_and_error(fake: Fake) -> None:
    assert "expected one of" in fake.refused("scrape", {"job": "j"})


def test_alerts_are_delivered_before_the_clock_has_advanced(fake: Fake) -> None:
    received: list[bytes] = []

    class Manager(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(0.05)
            received.append(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class calls it so
            pass

    with HTTPServer(("127.0.0.1", 0), Manager) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        targets = f"[{{static_configs: [{{targets: ['127.0.0.1:{server.server_port}']}}]}}]"
        config = f"alerting: {{alertmanagers: {targets}}}"
        rules = "groups: [{name: g, interval: 15s, rules: [{alert: Always, expr: '1'}]}]"
        fake.control("POST", "config", {"config": config, "rules": {"r.yml": rules}})
        fake.advance("15s")
        assert [b"Always" in body for body in received] == [True]
        fake.control("POST", "reset", {})
        server.shutdown()
        thread.join()
