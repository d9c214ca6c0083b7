"""Tests of apps that an interrupted import left behind, and of the checks before their deletion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenantry.audit.findings import Unread
from tenantry.audit.leftovers import LeftOver, Search, delete_all
from tenantry.emulator import Emulator
from tenantry.providers.qlik import Cloud
from tenantry.state.backend import Backend, NoSuchStack, PulumiFailed
from tests.audit.states import app, creating, state
from tests.emulator.api import Api, new_tenant
from tests.world import World, writes

MARK = "[0123456789ab]"
States = dict[str, dict[str, Any] | PulumiFailed]


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> States:
    """Return the states in the backend, by stack."""
    states: States = {"globex": state()}

    def export(_: Backend, stack: str) -> dict[str, Any]:
        if stack not in states:
            raise NoSuchStack("pulumi stack export", "no stack", 6)
        found = states[stack]
        if isinstance(found, PulumiFailed):
            raise found
        return found

    monkeypatch.setattr(Backend, "state", export)
    return states


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    """Return a tenant with a shared space. Requests to it come from the bot user of the client."""
    tenant = new_tenant(qlik)
    tenant.post("/api/v1/spaces", {"name": "Staging", "type": "shared"})
    return tenant


@pytest.fixture
def cloud(qlik: Emulator) -> Iterator[Cloud]:
    """Connect to Qlik Cloud with the client `demo`."""
    environment = {
        "QLIK_CLOUD_ENDPOINT": qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
    }
    with Cloud(environment) as cloud:
        yield cloud


def search(cloud: Cloud, *, complete: bool = True) -> Search:
    """Return a search whose backend is `states`. `complete` is false if a state cannot be read."""
    return Search(cloud, Backend(Path()), lambda stack, _: f"{stack} is broken", complete)


def find(cloud: Cloud, tenant: Api, *ids: str, complete: bool = True) -> list[LeftOver]:
    """Return the left-over apps of the tenant of stack `globex`. `ids` are the ids in the states."""
    unread: list[Unread] = []
    found = search(cloud, complete=complete).search({tenant.host: ["globex"]}, frozenset(ids), 2, unread)
    assert unread == []
    return found


def space_id(tenant: Api) -> str:
    """Return the id of the shared space."""
    return str(World(tenant.qlik, tenant.host).spaces["Staging"]["id"])


def add_app(tenant: Api, name: str, description: str = "") -> str:
    """Create an app in the shared space, and return its id."""
    attributes = {"name": name, "description": description, "spaceId": space_id(tenant)}
    return str(tenant.post("/api/v1/apps", {"attributes": attributes}, expect=200)["attributes"]["id"])


def test_an_app_with_a_mark_in_its_name_or_description_is_left_over(
    cloud: Cloud, tenant: Api, states: States
) -> None:
    """The mark moves to the description when the app gets its name. Apps without a mark belong to users."""
    named, described = (
        add_app(tenant, f"Sales {MARK}"),
        add_app(tenant, "Sales", f"Figures {MARK} {{v2.3.0}}"),
    )
    add_app(tenant, "Sales", "Figures {v2.3.0} [0123]")
    found = find(cloud, tenant)
    assert {app.id: app.mark for app in found} == {named: MARK, described: MARK}
    assert {(app.hostname, app.stacks, app.reason_to_keep) for app in found} == {
        (tenant.host, ("globex",), "")
    }
    assert all(app.created_at for app in found)


def test_an_app_in_a_state_is_not_left_over(cloud: Cloud, tenant: Api, states: States) -> None:
    """A run may have recorded the app before or after the states were read."""
    first, second = add_app(tenant, f"Sales {MARK}"), add_app(tenant, f"Costs {MARK}")
    assert [left_over.id for left_over in find(cloud, tenant, first)] == [second]
    states["globex"] = state(app(id=second))
    assert find(cloud, tenant, first) == []


def test_a_published_copy_is_not_left_over(cloud: Cloud, tenant: Api, states: States) -> None:
    managed = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "managed"})["id"]
    staged = add_app(tenant, "Sales", MARK)
    tenant.post(f"/api/v1/apps/{staged}/publish", {"spaceId": managed}, expect=200)
    copies = [copy for copy in World(tenant.qlik, tenant.host).every("app") if copy["spaceId"] == managed]
    assert [MARK in copy["description"] for copy in copies] == [True]
    assert [left_over.id for left_over in find(cloud, tenant)] == [staged]


def test_a_copy_that_a_user_made_is_not_left_over(cloud: Cloud, tenant: Api, states: States) -> None:
    """A copy of a staged app has the mark, but not the same creator."""
    staged = add_app(tenant, "Sales", MARK)
    world = World(tenant.qlik, tenant.host)
    world.join(space_id(tenant))
    world.request(
        "POST", f"apps/{staged}/copy", {"attributes": {"name": "Copy", "spaceId": space_id(tenant)}}
    )
    copied = world.apps["Staging", "Copy"]
    assert MARK in copied["description"]
    assert [left_over.id for left_over in find(cloud, tenant)] == [staged]


def test_an_unfinished_import_keeps_the_app(cloud: Cloud, tenant: Api, states: States) -> None:
    """A run may be about to record this app."""
    states["globex"] = state(pending=[creating(app())])
    id = add_app(tenant, f"Sales {MARK}")
    [found] = find(cloud, tenant)
    assert "in progress or was interrupted" in found.reason_to_keep
    assert search(cloud).delete(found) == found.reason_to_keep
    assert tenant.get(f"/api/v1/apps/{id}")


def test_an_unreadable_state_keeps_the_app(cloud: Cloud, tenant: Api, states: States) -> None:
    add_app(tenant, f"Sales {MARK}")
    [found] = find(cloud, tenant, complete=False)
    assert (found.finding.certain, found.reason_to_keep) == (False, "an unreadable state may hold it")
    states["globex"] = PulumiFailed("pulumi stack export", "error", 255)
    [found] = find(cloud, tenant)
    assert found.reason_to_keep == "the state of stack globex cannot be read: globex is broken"
    del states["globex"]
    [found] = find(cloud, tenant)
    assert found.reason_to_keep == "stack globex no longer exists"


def test_an_unreadable_tenant_is_reported(cloud: Cloud, tenant: Api, qlik: Emulator, states: States) -> None:
    add_app(tenant, f"Sales {MARK}")
    other = new_tenant(qlik)
    qlik.control.add_fault(host=tenant.host, path="/api/v1/items", status=403)
    unread: list[Unread] = []
    found = search(cloud).search({tenant.host: ["globex"], other.host: []}, frozenset(), 2, unread)
    assert (found, [entry.subject for entry in unread]) == ([], [f"the apps of {tenant.host}"])


def test_an_app_is_deleted_after_a_second_check(
    cloud: Cloud, tenant: Api, qlik: Emulator, states: States
) -> None:
    """Other apps stay. An app that no longer exists counts as deleted."""
    id, other = add_app(tenant, f"Sales {MARK}"), add_app(tenant, "Sales")
    found = find(cloud, tenant)
    before = len(qlik.control.requests())
    lines: list[str] = []
    assert delete_all(search(cloud), found, lines.append) == (found, [])
    assert writes(qlik.control.requests()[before:]) == [f"DELETE /api/v1/apps/{id}"]
    assert lines == [f"app {id} on {tenant.host}: deleted"]
    assert [existing["id"] for existing in World(qlik, tenant.host).every("app")] == [other]
    assert delete_all(search(cloud), found, lines.append) == (found, [])
    assert lines[1:] == [f"app {id} on {tenant.host}: not deleted, it no longer exists"]


def test_a_changed_app_is_not_deleted(cloud: Cloud, tenant: Api, qlik: Emulator, states: States) -> None:
    """A run may have recorded, imported or renamed the app, or its state may be unreadable."""
    id = add_app(tenant, f"Sales {MARK}")
    found = find(cloud, tenant)
    before, lines = len(qlik.control.requests()), list[str]()
    for new_state in (
        state(app(id=id)),
        state(pending=[creating(app())]),
        PulumiFailed("pulumi stack export", "error", 255),
    ):
        states["globex"] = new_state
        assert delete_all(search(cloud), found, lines.append) == ([], [])
    del states["globex"]
    assert delete_all(search(cloud), found, lines.append) == ([], [])
    states["globex"] = state()
    assert writes(qlik.control.requests()[before:]) == []
    tenant.put(f"/api/v1/apps/{id}", {"attributes": {"name": "Sales"}})
    assert delete_all(search(cloud), found, lines.append) == ([], [])
    assert [line.partition(", ")[2].partition(" ")[0] for line in lines] == ["it", "an", "the", "stack", "it"]
    assert tenant.get(f"/api/v1/apps/{id}")


def test_a_failed_deletion_does_not_stop_the_others(
    cloud: Cloud, tenant: Api, qlik: Emulator, states: States
) -> None:
    first, second = add_app(tenant, f"Sales {MARK}"), add_app(tenant, f"Costs {MARK}")
    found = sorted(find(cloud, tenant), key=lambda app: app.id != first)
    qlik.control.add_fault(method="DELETE", path=f"/api/v1/apps/{first}", status=403)
    deleted, failed = delete_all(search(cloud), found, lambda _: None)
    assert [left_over.id for left_over in deleted] == [second]
    assert [entry.subject for entry in failed] == [f"app {first} on {tenant.host}"]
