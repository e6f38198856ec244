"""/api/v1/admin/tsdb/..."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.miniprom.api.harness import NOW, NOW_MS, Api, serving
from tests.tsdb.logging_to import files
from tsdb import Store, labels_from
from tsdb.disk import Disk
from tsdb.wal import load


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Api]:
    """A server with the admin API, kept in a folder, with two series."""
    with serving(**{"web.enable-admin-api": "true"}) as api:
        api.server.services.storage.open(str(tmp_path / "data"))
        for instance in ("a", "b"):
            labels = {"__name__": "up", "job": "j", "instance": instance}
            api.add(labels, [(60, 1.0), (30, 2.0), (0, 3.0)])
        yield api


def loaded(folder: Path) -> Store:
    store = Store(retention_ms=None)
    assert not load(Disk(), folder, store).problems
    return store


@pytest.mark.parametrize("action", ["delete_series", "clean_tombstones", "snapshot", "import"])
def test_admin_api_is_off_by_default(api: Api, action: str) -> None:
    answer = api.post(f"/api/v1/admin/tsdb/{action}")
    assert answer.json == {"status": "error", "errorType": "unavailable", "error": "admin APIs disabled"}
    assert answer.status == 500


def test_deleted_series_is_gone_at_once_from_queries_labels_and_disk(admin: Api, tmp_path: Path) -> None:
    answer = admin.post("/api/v1/admin/tsdb/delete_series", [("match[]", 'up{instance="a"}')])
    assert (answer.status, answer.body) == (204, b"")
    assert [one["metric"]["instance"] for one in admin.query("up")["result"]] == ["b"]
    assert admin.get("/api/v1/label/instance/values").data == ["b"]
    assert len(admin.get("/api/v1/series", {"match[]": "up"}).data) == 1
    assert loaded(tmp_path / "data").snapshot(NOW_MS).label_values("instance", (), 0, NOW_MS) == ["b"]


def test_range_is_deleted_with_both_ends(admin: Api) -> None:
    form = [("match[]", "up"), ("start", str(NOW - 30)), ("end", str(NOW))]
    assert admin.post("/api/v1/admin/tsdb/delete_series", form).status == 204
    assert [one["values"] for one in admin.query("up[5m]")["result"]] == [[[NOW - 60, "1"]]] * 2


def test_put_is_taken_as_well(admin: Api) -> None:
    answer = admin.request("PUT", "/api/v1/admin/tsdb/delete_series?match[]=up")
    assert answer.status == 204
    assert admin.query("up")["result"] == []


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ([], "no match[] parameter provided"),
        ([("match[]", "up{")], 'invalid parameter "match[]"'),
        ([("match[]", "up"), ("start", "x")], 'invalid parameter "start"'),
    ],
)
def test_wrong_parameters_are_bad_data(admin: Api, form: list[tuple[str, str]], error: str) -> None:
    answer = admin.post("/api/v1/admin/tsdb/delete_series", form)
    assert (answer.status, answer.json["errorType"]) == (400, "bad_data")
    assert answer.json["error"].startswith(error)


def test_there_are_no_tombstones_to_clean(admin: Api) -> None:
    assert admin.post("/api/v1/admin/tsdb/clean_tombstones").status == 204


def test_unknown_action_is_not_found(admin: Api) -> None:
    assert admin.post("/api/v1/admin/tsdb/nonsense").status == 404


def test_snapshot_is_a_folder_that_a_server_can_start_from(admin: Api, tmp_path: Path) -> None:
    name = admin.post("/api/v1/admin/tsdb/snapshot").data["name"]
    assert name.startswith("20231114T221320Z-")
    folder = tmp_path / "data" / "snapshots" / name
    assert files(folder) == ["rings.00000001"]
    assert loaded(folder).stats().series == 2


def test_snapshot_needs_a_folder() -> None:
    with serving(**{"web.enable-admin-api": "true"}) as api:
        answer = api.post("/api/v1/admin/tsdb/snapshot")
        assert (answer.status, answer.json["errorType"]) == (500, "internal")
        assert "memory only" in answer.json["error"]


def test_skip_head_must_be_a_boolean(admin: Api) -> None:
    assert admin.post("/api/v1/admin/tsdb/snapshot", {"skip_head": "maybe"}).status == 400
    assert admin.post("/api/v1/admin/tsdb/snapshot", {"skip_head": "true"}).status == 200


def test_imported_samples_fill_the_past_and_are_on_disk(admin: Api, tmp_path: Path) -> None:
    text = f'up{{job="j",instance="a"}} 9 {NOW - 45}\nnew 1 {NOW}\nnew 1 {NOW - 8000}\n# EOF\n'
    answer = admin.request("POST", "/api/v1/admin/tsdb/import", data=text.encode())
    assert answer.data == {"series": 2, "samples": 2, "tooOld": 1}
    (series,) = admin.query('up{instance="a"}[5m]')["result"]
    assert [value for _, value in series["values"]] == ["1", "9", "2", "3"]
    ids = loaded(tmp_path / "data").series_ids([labels_from({"__name__": "new"})])
    assert len(ids) == 1


def test_text_without_times_is_refused(admin: Api) -> None:
    answer = admin.request("POST", "/api/v1/admin/tsdb/import", data=b"new 1\n# EOF\n")
    assert (answer.status, answer.json["error"]) == (
        400,
        "expected a timestamp for each sample, new has none",
    )
