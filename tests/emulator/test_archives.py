"""Themes and extensions, as forms."""

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
"""Each API, and the type that it takes."""

MANY: dict[str, Any] = {f"{number}_css": b"" for number in range(500)}


def packed(*, type: str = "theme", **files: bytes) -> bytes:
    """A zip with a .qext in it."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.qext", json.dumps({"name": "Corporate", "type": type}))
        for file, content in files.items():
            archive.writestr(file.replace("_", "."), content)
    return made.getvalue()


def part(content: bytes, media_type: str = "application/zip") -> dict[str, Any]:
    return {"files": {"file": ("a.zip", content, media_type)}}


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


@pytest.mark.parametrize(("api", "type"), APIS.items())
def test_the_life_of_one(source: Api, api: str, type: str) -> None:
    """Made, listed, changed, downloaded, found by the name of its .qext, gone."""
    content = packed(type=type)
    made = source.post(f"/api/v1/{api}", **part(content))
    assert made["file"]["md5"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert (made["name"], made["qextFilename"]) == ("Corporate", "a")
    assert source.get(f"/api/v1/{api}")["data"] == [made]
    assert source.get(f"/api/v1/{api}/a") == made
    data: dict[str, Any] = {"files": {"data": (None, json.dumps({"name": "Mine"}), "application/json")}}
    answer = source.send("PATCH", f"/api/v1/{api}/{made['id']}", **data)
    assert answer.status_code == 200
    assert source.get(f"/api/v1/{api}/{made['id']}")["name"] == "Mine"
    assert source.send("GET", f"/api/v1/{api}/{made['id']}/file").content == content
    source.delete(f"/api/v1/{api}/{made['id']}")
    source.get(f"/api/v1/{api}/{made['id']}", expect=404)


def test_what_has_no_extension_is_left_out(source: Api) -> None:
    content = packed(README=b"Nobody keeps this")
    made = source.post("/api/v1/themes", **part(content))
    assert made["file"]["md5"] != hashlib.md5(content, usedforsecurity=False).hexdigest()
    kept = source.send("GET", f"/api/v1/themes/{made['id']}/file").content
    assert zipfile.ZipFile(BytesIO(kept)).namelist() == ["a.qext"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"json": {"name": "A"}}, 400),
        (part(b"no zip"), 422),
        (part(packed(b_qext=b"{}")), 422),
        (part(packed(**MANY)), 422),
        (part(packed(), "text/plain"), 415),
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
def test_what_is_refused(source: Api, options: dict[str, Any], status: int) -> None:
    answer = source.send("POST", "/api/v1/themes", **options)
    assert answer.status_code == status, answer.text
    error(answer.json())
    assert source.get("/api/v1/themes")["data"] == []


def test_a_name_is_taken_once(source: Api) -> None:
    source.post("/api/v1/themes", **part(packed()))
    source.post("/api/v1/themes", expect=409, **part(packed()))
