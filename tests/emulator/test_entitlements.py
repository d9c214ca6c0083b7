"""Entitlements: how a login uses up units of the licence, and how they are released."""

from __future__ import annotations

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import SOURCE, Api, new_tenant
from tests.emulator.people import login, open_tenant


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return open_tenant(qlik)


def entitlements_used(tenant: Api) -> dict[str, int]:
    overview = Api(tenant.qlik, SOURCE).login().get("/api/v1/licenses/overview")
    return {allotment["name"]: allotment["unitsUsed"] for allotment in overview["allotments"]}


def test_logins_assign_no_more_entitlements_than_the_licence_has(tenant: Api) -> None:
    tenant.put("/api/v1/licenses/settings", {"autoAssignAnalyzer": True, "autoAssignProfessional": True})
    for number in range(101):
        login(tenant, sub=f"user {number}", email=f"{number}@acme.example")
    assert entitlements_used(tenant) == {"professional": 100, "analyzer": 1}


def assignments(tenant: Api, query: str = "") -> list[tuple[str, str]]:
    found = tenant.everything(f"/api/v1/licenses/assignments?limit=2{query}")
    return [(assignment["subject"], assignment["type"]) for assignment in found]


def test_tenants_of_a_licence_share_its_assignments(tenant: Api) -> None:
    """Each tenant lists all of them. With `orphans`, only those of subjects without a user in this tenant."""
    other = new_tenant(tenant.qlik)
    tenant.post("/api/v1/users", {"subject": "ada", "status": "active"})
    items = [{"subject": subject, "type": "analyzer"} for subject in ("ada", "bob", "eve")]
    response = tenant.post("/api/v1/licenses/assignments/actions/add", {"add": items}, expect=207)
    assert [result["status"] for result in response["data"]] == [201, 201, 201]
    second = tenant.post("/api/v1/licenses/assignments/actions/add", {"add": items[:1]}, expect=207)
    assert [result["status"] for result in second["data"]] == [400]
    assert entitlements_used(tenant) == {"professional": 0, "analyzer": 3}
    everyone = [(subject, "analyzer") for subject in ("ada", "bob", "eve")]
    assert assignments(tenant) == assignments(other) == everyone
    assert assignments(tenant, "&orphans=true") == everyone[1:]
    assert assignments(other, "&orphans=true") == everyone
    assert assignments(tenant, '&filter=subject eq "bob"') == everyone[1:2]
    assert assignments(tenant, "&sort=-subject") == everyone[::-1]
    tenant.get("/api/v1/licenses/assignments?sort=colour", expect=400)


def test_an_assignment_without_units_left_is_refused(tenant: Api) -> None:
    items = [{"subject": f"user {number}", "type": "professional"} for number in range(101)]
    response = tenant.post("/api/v1/licenses/assignments/actions/add", {"add": items}, expect=207)
    assert [result["status"] for result in response["data"]] == [*[201] * 100, 403]
    assert response["data"][-1]["code"] == "LICENSES-011"
    unknown = [{"subject": "x", "type": "colour"}]
    response = tenant.post("/api/v1/licenses/assignments/actions/add", {"add": unknown}, expect=207)
    assert response["data"][0]["status"] == 403


def test_a_subject_gets_one_entitlement_per_licence(tenant: Api) -> None:
    def used() -> dict[str, int]:
        return entitlements_used(tenant)

    def set_flags(**flags: bool) -> None:
        tenant.put("/api/v1/licenses/settings", flags)

    login(tenant, sub="none", email="none@acme.example")
    assert used() == {"professional": 0, "analyzer": 0}
    set_flags(autoAssignAnalyzer=True, autoAssignProfessional=False)
    person = login(tenant)
    login(tenant)
    assert used() == {"professional": 0, "analyzer": 1}
    set_flags(autoAssignAnalyzer=True, autoAssignProfessional=True)
    login(tenant, sub="pro", email="pro@acme.example")
    assert used() == {"professional": 1, "analyzer": 1}
    tenant.delete(f"/api/v1/users/{person.me()['id']}")
    assert used()["analyzer"] == 1, "an entitlement outlives the user"

    other = new_tenant(tenant.qlik)
    items = [{"subject": "acme\\jdoe", "type": kind} for kind in ("professional", "analyzer")]
    response = other.send("POST", "/api/v1/licenses/assignments/actions/delete", json={"delete": items})
    assert response.status_code == 207
    assert [result["status"] for result in response.json()["data"]] == [404, 200]
    assert used() == {"professional": 1, "analyzer": 0}
