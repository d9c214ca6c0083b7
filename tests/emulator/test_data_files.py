"""Data files. A form uploads a file to the space of a connection, or to the personal space."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import Api, error, new_tenant

PATH = "/api/v1/data-files"


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


def form(content: bytes | None = b"a,b\n1,2\n", **attributes: Any) -> dict[str, Any]:
    """Return the options of a request with a form."""
    parts: dict[str, Any] = {"Json": (None, json.dumps(attributes), "application/json")}
    if content is not None:
        parts["File"] = ("data", content, "text/csv")
    return {"files": parts}


def create_space(tenant: Api, name: str = "Data") -> tuple[str, str]:
    """Create a space. Return its id and the id of its connection."""
    id = tenant.post("/api/v1/spaces", {"name": name, "type": "shared"})["id"]
    (connection,) = tenant.get(f"{PATH}/connections", params={"spaceId": id})["data"]
    assert (connection["name"], connection["spaceId"]) == ("DataFiles", id)
    assert tenant.get(f"{PATH}/connections/{connection['id']}") == connection
    return id, connection["id"]


def test_a_data_file_is_created_changed_and_deleted(tenant: Api) -> None:
    """It is uploaded, listed, replaced under another name, renamed, moved and deleted."""
    id, connection = create_space(tenant)
    _, other = create_space(tenant, "Other")
    created = tenant.post(PATH, **form(name="rates.csv", connectionId=connection))
    path = f"{PATH}/{created['id']}"
    assert (created["name"], created["size"], created["spaceId"]) == ("rates.csv", 8, id)
    assert tenant.get(path) == created
    assert tenant.get(PATH, params={"connectionId": connection, "name": "rates.csv"})["data"] == [created]
    assert tenant.get(PATH)["data"] == []
    changed = tenant.put(path, expect=201, **form(b"x", name="new.csv", connectionId=connection))
    assert (changed["id"], changed["name"], changed["size"]) == (created["id"], "new.csv", 1)
    assert changed["contentUpdatedDate"] >= created["contentUpdatedDate"]
    renamed = tenant.put(path, expect=201, **form(None, name="old.csv", connectionId=connection))
    assert (renamed["name"], renamed["contentUpdatedDate"]) == ("old.csv", changed["contentUpdatedDate"])
    tenant.put(path, expect=201, **form(b"x", name="old.csv", connectionId=other))
    assert tenant.get(PATH, params={"connectionId": connection})["data"] == []
    assert [file["id"] for file in tenant.get(PATH, params={"includeAllSpaces": "true"})["data"]] == [
        created["id"]
    ]
    tenant.delete(path)
    assert error(tenant.get(path, expect=404))["code"] == "HTTP-404"


def test_a_put_without_a_connection_moves_the_file_to_the_personal_space(tenant: Api) -> None:
    id, connection = create_space(tenant)
    created = tenant.post(PATH, **form(name="rates.csv", connectionId=connection))
    moved = tenant.put(f"{PATH}/{created['id']}", expect=201, **form(name="rates.csv"))
    assert "spaceId" not in moved
    assert [file["id"] for file in tenant.get(PATH)["data"]] == [created["id"]]
    (personal,) = tenant.get(f"{PATH}/connections", params={"personal": "true"})["data"]
    assert tenant.get(PATH, params={"connectionId": personal["id"]})["data"] == [moved]
    tenant.post(PATH, **form(name="rates.csv", connectionId=connection))
    tenant.delete(f"/api/v1/spaces/{id}")
    assert tenant.get(f"{PATH}/connections", params={"spaceId": id})["data"] == []
    assert [file["id"] for file in tenant.get(PATH, params={"includeAllSpaces": True})["data"]] == [
        created["id"]
    ]


def test_content_can_come_from_a_temporary_content_or_another_data_file(tenant: Api) -> None:
    location = tenant.send("POST", "/api/v1/temp-contents", data=b"large").headers["location"]
    first = tenant.post(PATH, **form(None, name="a.csv", tempContentFileId=location.rsplit("/", 1)[1]))
    second = tenant.post(PATH, **form(None, name="b.csv", sourceId=first["id"]))
    assert (first["size"], second["size"]) == (5, 5)
    files = tenant.everything(f"{PATH}?limit=1")
    assert [file["name"] for file in files] == ["a.csv", "b.csv"]
    assert tenant.get(f"{PATH}/quotas")["size"] == 10


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        (form(name="rates.csv"), 409, "HTTP-409"),
        (form(name="rates"), 400, "DF-011"),
        (form(name=".csv"), 400, "DF-011"),
        (form(name="rates.exe"), 400, "DF-010"),
        (form(name=" rates.csv"), 400, "DF-015"),
        (form(name=""), 400, "DF-015"),
        (form(name="a/b.csv"), 400, "EMULATOR-NOT-COVERED"),
        (form(name="a", folder=True), 400, "EMULATOR-NOT-COVERED"),
        (form(name="b.csv", connectionId="6fa459ea-ee8a-3ca4-894e-db77e160355e"), 400, "DF-014"),
        (form(None, name="b.csv", tempContentFileId="none"), 400, "DF-012"),
        (form(None, name="b.csv", sourceId="none"), 400, "DF-017"),
        (form(None, name="b.csv"), 400, "HTTP-400"),
        (form(), 400, ""),
        (form(name="b.csv", colour="red"), 400, ""),
        ({"json": {"name": "b.csv"}}, 400, ""),
        ({"files": {"File": ("a.csv", b"x", "text/csv")}}, 400, ""),
        (form(bytes(104_857_601), name="b.csv"), 413, "HTTP-413"),
        (form(bytes(106_000_000), name="b.csv"), 413, ""),
    ],
)
def test_a_bad_upload_is_refused(tenant: Api, options: dict[str, Any], status: int, code: str) -> None:
    tenant.post(PATH, **form(name="rates.csv"))
    response = tenant.send("POST", PATH, **options)
    assert response.status_code == status, response.text
    assert error(response.json())["code"] == code or not code
    assert [file["name"] for file in tenant.get(PATH)["data"]] == ["rates.csv"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["a.csv", "b.csv"]),
        ({"sort": "-size"}, ["b.csv", "a.csv"]),
        ({"baseNameWildcard": "b.*"}, ["b.csv"]),
        ({"name": "a.csv"}, ["a.csv"]),
        ({"name": "A.csv"}, []),
        ({"ownerId": "none"}, []),
        ({"notOwnerId": "none"}, ["a.csv", "b.csv"]),
        ({"excludeFiles": "true"}, []),
        ({"appId": "*"}, []),
    ],
)
def test_the_list_can_be_filtered_and_sorted(tenant: Api, query: dict[str, str], names: list[str]) -> None:
    for name, content in (("a.csv", b"1"), ("b.csv", b"22")):
        tenant.post(PATH, **form(content, name=name))
    assert [file["name"] for file in tenant.get(PATH, params=query)["data"]] == names
    tenant.get(PATH, params={"folderPath": "x"}, expect=400)
