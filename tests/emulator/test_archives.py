"""Themes and extensions, which are uploaded as forms."""

from __future__ import annotations

import hashlib
import json
import zipfile
from io import BytesIO
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import SOURCE, Api, error

APIS = {"themes": "theme", "extensions": "visualization"}
"""API -> the type that it accepts."""

TOO_MANY_FILES: dict[str, Any] = {f"{number}_css": b"" for number in range(500)}


def pack(*, type: str = "theme", **files: bytes) -> bytes:
    """Return a zip archive with a .qext file."""
    created = BytesIO()
    with zipfile.ZipFile(created, "w") as archive:
        archive.writestr("a.qext", json.dumps({"name": "Corporate", "type": type}))
        for file, content in files.items():
            archive.writestr(file.replace("_", "."), content)
    return created.getvalue()


def part(content: bytes, media_type: str = "application/zip") -> dict[str, Any]:
    return {"files": {"file": ("a.zip", content, media_type)}}


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


@pytest.mark.parametrize(("api", "type"), APIS.items())
def test_an_archive_is_created_changed_downloaded_and_deleted(source: Api, api: str, type: str) -> None:
    """The name of its .qext file finds it as well as its id."""
    content = pack(type=type)
    created = source.post(f"/api/v1/{api}", **part(content))
    assert created["file"]["md5"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert (created["name"], created["qextFilename"]) == ("Corporate", "a")
    assert source.get(f"/api/v1/{api}")["data"] == [created]
    assert source.get(f"/api/v1/{api}/a") == created
    data: dict[str, Any] = {"files": {"data": (None, json.dumps({"name": "Mine"}), "application/json")}}
    response = source.send("PATCH", f"/api/v1/{api}/{created['id']}", **data)
    assert response.status_code == 200
    assert source.get(f"/api/v1/{api}/{created['id']}")["name"] == "Mine"
    assert source.send("GET", f"/api/v1/{api}/{created['id']}/file").content == content
    source.delete(f"/api/v1/{api}/{created['id']}")
    source.get(f"/api/v1/{api}/{created['id']}", expect=404)


def test_files_without_an_extension_are_dropped(source: Api) -> None:
    content = pack(README=b"Nobody keeps this")
    created = source.post("/api/v1/themes", **part(content))
    assert created["file"]["md5"] != hashlib.md5(content, usedforsecurity=False).hexdigest()
    downloaded = source.send("GET", f"/api/v1/themes/{created['id']}/file").content
    assert zipfile.ZipFile(BytesIO(downloaded)).namelist() == ["a.qext"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"json": {"name": "A"}}, 400),
        (part(b"no zip"), 422),
        (part(pack(b_qext=b"{}")), 422),
        (part(pack(**TOO_MANY_FILES)), 422),
        (part(pack(), "text/plain"), 415),
        (part(bytes(30_000_001)), 413),
        (part(bytes(32_000_000)), 400),
        ({"files": {"data": (None, "no JSON", "application/json")}}, 415),
        ({"files": {"data": (None, "{}", "application/json")}}, 422),
        ({"files": {"data": (None, '{"colour": 1}', "application/json")}}, 400),
        ({"files": {"picture": ("a.png", b"", "image/png")}}, 400),
        ({"data": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400),
        ({"data": b"", "headers": {"Content-Type": "multipart/form-data"}}, 400),
    ],
)
def test_a_bad_archive_is_refused(source: Api, options: dict[str, Any], status: int) -> None:
    response = source.send("POST", "/api/v1/themes", **options)
    assert response.status_code == status, response.text
    error(response.json())
    assert source.get("/api/v1/themes")["data"] == []


def test_a_name_is_unique(source: Api) -> None:
    source.post("/api/v1/themes", **part(pack()))
    source.post("/api/v1/themes", expect=409, **part(pack()))
