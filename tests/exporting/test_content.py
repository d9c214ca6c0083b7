"""Exports over real sockets: apps in all types of spaces, lists, refused content, and resumption."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tenantry.exporting.content import Export, export
from tenantry.exporting.folder import ExportRefused, facts_of
from tests.providers.resource_driver import Tenancy


@pytest.fixture
def filled(tenancy: Tenancy) -> Tenancy:
    """A tenant with the bot user's apps in a personal, a shared and a managed space."""
    app = tenancy.app("Überblick/EU", "Sales")
    tenancy.bot.post("/api/v1/apps", {"attributes": {"name": "Mine"}})
    managed = tenancy.space("Board", "managed")
    tenancy.bot.post(f"/api/v1/apps/{app}/publish", {"spaceId": managed, "attributes": {"name": "Costs"}})
    tenancy.user("Ada")
    tenancy.group("Analysts")
    tenancy.qlik.control.advance(300)
    return tenancy


def run(tenancy: Tenancy, folder: Path, **options: Any) -> Export:
    return export(tenancy.cloud, tenancy.hostname, "acme", folder, **options)


def index(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "acme" / "index.json").read_text())  # type: ignore[no-any-return]


def count_exports(tenancy: Tenancy) -> int:
    """Count the requests for an export so far, with or without data."""
    paths = [request["path"].partition("?")[0] for request in tenancy.qlik.control.requests()]
    return sum(path.endswith("/export") for path in paths)


def create_foreign_app(tenancy: Tenancy) -> str:
    """Create an app in a shared space of another user; return its id."""
    space = tenancy.world.request("POST", "spaces", {"name": "Theirs", "type": "shared"})["id"]
    body = {"attributes": {"name": "Secret plan", "spaceId": space}}
    app: str = tenancy.world.request("POST", "apps", body)["attributes"]["id"]
    tenancy.qlik.control.advance(60)
    return app


def test_everything_is_saved(filled: Tenancy, tmp_path: Path) -> None:
    result = run(filled, tmp_path)
    assert (result.complete, result.apps, result.fetched) == (True, 3, 3)
    content = index(tmp_path)
    assert (content["complete"], content["not_saved"], content["hostname"]) == (True, [], filled.hostname)
    apps = {file["name"]: file for file in content["files"] if file["kind"] == "app"}
    assert {name: (app["space"] or {}).get("type") for name, app in apps.items()} == {
        "Überblick/EU": "shared",
        "Mine": None,
        "Costs": "managed",
    }
    assert {name: app["data"] for name, app in apps.items()} == {
        "Überblick/EU": True,
        "Mine": True,
        "Costs": False,
    }
    for file in content["files"]:
        assert facts_of(tmp_path / "acme" / file["path"]) == {name: file[name] for name in ("size", "sha256")}
    subjects = [user["subject"] for user in json.loads((tmp_path / "acme" / "users.json").read_text())]
    assert "auth0|ada" in subjects
    with (tmp_path / "acme" / "users.csv").open(encoding="utf-8") as file_object:
        assert [row["subject"] for row in csv.DictReader(file_object)] == subjects
    assert "Analysts" in (tmp_path / "acme" / "groups.csv").read_text()
    assert not list(tmp_path.rglob("*.part"))


def test_only_changed_apps_are_fetched_again(filled: Tenancy, tmp_path: Path) -> None:
    """A change is at Qlik or on disk. A renamed app leaves no file with its old name."""
    run(filled, tmp_path)
    assert run(filled, tmp_path).fetched == 0
    apps = {file["name"]: file for file in index(tmp_path)["files"] if file["kind"] == "app"}
    (tmp_path / "acme" / apps["Mine"]["path"]).write_text("torn")
    filled.qlik.control.advance(60)
    filled.bot.put(f"/api/v1/apps/{apps['Überblick/EU']['id']}", {"attributes": {"name": "Overview"}})
    assert run(filled, tmp_path).fetched == 2
    names = sorted(path.name.rpartition("-")[0][:8] for path in (tmp_path / "acme").rglob("*.qvf"))
    assert [name.partition("-")[0] for name in names] == ["Costs", "Mine", "Overview"]


def test_an_interrupted_export_resumes(filled: Tenancy, tmp_path: Path) -> None:
    """Content that was saved before a failure is not requested again."""
    fault = filled.qlik.control.add_fault(method="GET", path="/api/v1/temp-contents/*", status=403, times=1)
    first = run(filled, tmp_path)
    filled.qlik.control.release(fault)
    assert (first.complete, first.fetched, len(first.not_saved)) == (False, 2, 1)
    content = index(tmp_path)
    assert (content["complete"], len(content["not_saved"])) == (False, 1)
    before = count_exports(filled)
    assert run(filled, tmp_path).complete
    assert count_exports(filled) == before + 1
    assert index(tmp_path)["complete"]


def test_a_deleted_app_stays_saved(filled: Tenancy, tmp_path: Path) -> None:
    run(filled, tmp_path)
    app = next(file for file in index(tmp_path)["files"] if file.get("name") == "Mine")
    filled.bot.delete(f"/api/v1/apps/{app['id']}")
    assert run(filled, tmp_path).complete
    saved = next(file for file in index(tmp_path)["files"] if file.get("name") == "Mine")
    assert (saved["at_qlik"], saved["sha256"]) == (False, app["sha256"])
    assert (tmp_path / "acme" / saved["path"]).is_file()


def test_the_error_for_an_app_that_cannot_be_exported_names_the_solution(
    filled: Tenancy, tmp_path: Path
) -> None:
    app = create_foreign_app(filled)
    result = run(filled, tmp_path)
    (not_saved,) = result.not_saved
    assert (not_saved.id, not_saved.space) == (app, "Theirs")
    assert "`producer`" in not_saved.reason
    assert "--join-spaces" in not_saved.reason
    assert "traceId" in not_saved.reason
    assert index(tmp_path)["not_saved"] == [not_saved._asdict()]
    assert result.fetched == 3


@pytest.mark.parametrize("roles", [None, ["consumer"]], ids=["no member", "a member who cannot edit"])
def test_a_space_is_joined_only_during_the_export(
    filled: Tenancy, tmp_path: Path, roles: list[str] | None
) -> None:
    app = create_foreign_app(filled)
    space = filled.world.spaces["Theirs"]["id"]
    if roles:
        body = {"type": "user", "assigneeId": filled.bot_id, "roles": roles}
        filled.world.request("POST", f"spaces/{space}/assignments", body)
    result = run(filled, tmp_path, join=True)
    assert result.complete
    assert any(file.get("id") == app for file in index(tmp_path)["files"])
    roles_afterwards = [
        assignment["roles"]
        for assignment in filled.world.every("assignment")
        if assignment["spaceId"] == space
    ]
    assert roles_afterwards == ([roles] if roles else [])


def test_an_app_in_a_space_that_cannot_be_joined_is_not_saved(filled: Tenancy, tmp_path: Path) -> None:
    create_foreign_app(filled)
    filled.qlik.control.add_fault(method="POST", path="/api/v1/spaces/*/assignments", status=403)
    (not_saved,) = run(filled, tmp_path, join=True).not_saved
    assert "joining its space failed" in not_saved.reason


def test_a_refused_list_is_not_saved(filled: Tenancy, tmp_path: Path) -> None:
    filled.qlik.control.add_fault(method="GET", path="/api/v1/users", status=403)
    (not_saved,) = run(filled, tmp_path).not_saved
    assert str(not_saved).startswith("the users: ")


def test_a_refused_catalogue_does_not_count_as_empty(filled: Tenancy, tmp_path: Path) -> None:
    filled.qlik.control.add_fault(method="GET", path="/api/v1/items", status=403)
    result = run(filled, tmp_path)
    assert not result.complete
    assert str(result.not_saved[0]).startswith("the apps: ")


def test_the_error_for_a_deactivated_tenant_names_the_solution(filled: Tenancy, tmp_path: Path) -> None:
    filled.cloud.register("eu").post(
        f"/api/v1/tenants/{filled.tenant_id}/actions/deactivate",
        {},
        headers={"qlik-confirm-hostname": filled.hostname},
    )
    with pytest.raises(ExportRefused, match=r"deactivated.*ends_on.*pulumi up --refresh --stack acme"):
        run(filled, tmp_path)
    assert not (tmp_path / "acme" / "index.json").exists()
