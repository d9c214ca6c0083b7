"""Temporary contents: uploads, downloads, ranges and expiry."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import Api, new_tenant

OFFSET_STREAM = {"Content-Type": "application/offset+octet-stream"}
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


def upload(tenant: Api, data: bytes, query: str = "") -> str:
    response = tenant.send("POST", f"/api/v1/temp-contents{query}", data=data)
    assert response.status_code == 201
    assert response.content == b""
    return str(response.headers["location"])


def test_a_download_has_the_name_of_the_upload(tenant: Api) -> None:
    location = upload(tenant, b"0123456789", "?filename=a%20b.qvf")
    response = tenant.send("GET", location)
    assert response.content == b"0123456789"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.qvf"
    details = tenant.get(f"{location}/details")
    assert (details["Name"], details["Size"], details["TTLSeconds"]) == ("a b.qvf", "10", 3600)


@pytest.mark.parametrize(
    ("range_header", "part", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
    ],
)
def test_a_range_of_a_file_can_be_downloaded(
    tenant: Api, range_header: str, part: bytes, content_range: str
) -> None:
    response = tenant.send("GET", upload(tenant, b"0123456789"), headers={"Range": range_header})
    assert (response.status_code, response.content, response.headers["content-range"]) == (
        206,
        part,
        content_range,
    )


@pytest.mark.parametrize(
    ("range_header", "status"), [("bytes=10-", 416), ("bytes=-", 400), ("lines=1-2", 400)]
)
def test_an_invalid_range_is_refused(tenant: Api, range_header: str, status: int) -> None:
    assert (
        tenant.send("GET", upload(tenant, b"0123456789"), headers={"Range": range_header}).status_code
        == status
    )


def test_a_range_can_start_in_the_header_of_an_exported_app(tenant: Api) -> None:
    space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})["id"]
    app = tenant.post("/api/v1/apps/import", data=b"payload", params={"spaceId": space}, expect=200)[
        "attributes"
    ]
    location = tenant.send("POST", f"/api/v1/apps/{app['id']}/export").headers["location"]
    content = tenant.send("GET", location).content
    assert content.endswith(b"\npayload")
    for start in (0, 5, len(content) - 8, len(content) - 3):
        part = tenant.send("GET", location, headers={"Range": f"bytes={start}-{start + 6}"}).content
        assert part == content[start : start + 7]


def test_contents_expire(qlik: Emulator, tenant: Api) -> None:
    one_hour, one_minute = upload(tenant, b"x"), upload(tenant, b"y", "?ttl=60")
    qlik.control.advance(61)
    tenant.get(one_minute, expect=410)
    tenant.get(one_hour)
    qlik.control.advance(3600)
    tenant.get(one_hour, expect=410)
    tenant.get(f"{one_hour}/details", expect=410)
    file_id = one_hour.rsplit("/", 1)[1]
    tenant.post(f"/api/v1/apps/import?fileId={file_id}", expect=404)
    tenant.get("/api/v1/temp-contents/nothing", expect=404)


@pytest.mark.parametrize("query", ["?ttl=0", "?ttl=259201", "?ttl=soon", "?name=x"])
def test_bad_uploads_are_refused(tenant: Api, query: str) -> None:
    tenant.post(f"/api/v1/temp-contents{query}", data=b"x", expect=400)


def test_an_empty_upload_is_refused(tenant: Api) -> None:
    tenant.post("/api/v1/temp-contents", expect=400)


def test_an_app_is_imported_from_an_upload_in_parts(tenant: Api) -> None:
    metadata = "filename " + base64.b64encode(b"big.qvf").decode()
    created = tenant.send(
        "POST",
        "/api/v1/temp-contents/files",
        headers=TUS | {"Upload-Length": "10", "Upload-Metadata": metadata},
    )
    assert created.status_code == 201
    location = created.headers["location"]
    file_id = location.rsplit("/", 1)[1]

    def send_part(offset: int, data: bytes) -> int:
        headers = TUS | OFFSET_STREAM | {"Upload-Offset": str(offset)}
        return tenant.send("PATCH", location, data=data, headers=headers).status_code

    assert send_part(0, b"01234") == 204
    tenant.get(f"/api/v1/temp-contents/{file_id}", expect=204)
    tenant.post(f"/api/v1/apps/import?fileId={file_id}&name=Big", expect=404)
    assert send_part(0, b"01234") == 409
    assert send_part(5, b"567890") == 400
    assert send_part(5, b"56789") == 204
    assert tenant.get(f"/api/v1/temp-contents/{file_id}") == b"0123456789"
    app = tenant.post(f"/api/v1/apps/import?fileId={file_id}&name=Big", expect=200)["attributes"]
    assert app["name"] == "Big"


def test_tus_headers_are_checked(tenant: Api) -> None:
    path = "/api/v1/temp-contents/files"
    assert tenant.send("POST", path, headers={"Upload-Length": "1"}).headers["tus-version"] == "1.0.0"
    assert tenant.send("POST", path, headers=TUS).status_code == 400
    bad = TUS | {"Upload-Length": "1", "Upload-Metadata": "filename %%%"}
    assert tenant.send("POST", path, headers=bad).status_code == 400
    location = tenant.send("POST", path, headers=TUS | {"Upload-Length": "1"}).headers["location"]
    headers = TUS | {"Upload-Offset": "0", "Content-Type": "text/plain"}
    assert tenant.send("PATCH", location, data=b"x", headers=headers).status_code == 415


def test_equal_files_are_stored_once_and_deleted_when_unused(tmp_path: Path) -> None:
    files = tmp_path / "files"
    with Emulator(tmp_path) as qlik:
        tenant = new_tenant(qlik)
        seeded = len(list(files.iterdir()))
        space = tenant.post("/api/v1/spaces", {"name": "Sales", "type": "shared"})["id"]
        for _ in range(3):
            tenant.post("/api/v1/apps/import", data=b"same", params={"spaceId": space}, expect=200)
        upload(tenant, b"other")
        assert len(list(files.iterdir())) == seeded + 2
        qlik.control.advance(3601)
    with Emulator(tmp_path):
        assert len(list(files.iterdir())) == seeded + 1
