"""Brands, whose files are parts of forms."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import SOURCE, Api, error
from tests.pictures import ICO, JPEG, PNG

BRANDS = "/api/v1/brands"


@pytest.fixture
def source(qlik: Emulator) -> Api:
    return Api(qlik, SOURCE).login()


def form(name: str, **files: tuple[bytes, str]) -> dict[str, Any]:
    parts = {file: (file, content, media_type) for file, (content, media_type) in files.items()}
    return {"files": {"name": (None, name), **parts}}


def create_brand(source: Api, name: str = "Acme") -> str:
    return str(source.post(BRANDS, **form(name, logo=(PNG, "image/png")))["id"])


def test_a_brand_is_created_changed_and_deleted(source: Api) -> None:
    """A brand with a logo gets a new name, a favicon and another logo, and loses its favicon."""
    brand = source.post(BRANDS, **form("Acme", logo=(PNG, "image/png")))
    path = f"{BRANDS}/{brand['id']}"
    assert (brand["active"], [file["id"] for file in brand["files"]]) == (False, ["logo"])
    source.patch(path, {"/name": "Acme Ltd", "/description": "Blue"})
    favicon = source.post(f"{path}/files/favIcon", files={"file": ("f", ICO, "image/x-icon")})
    logo = source.put(f"{path}/files/logo", files={"file": ("f", JPEG, "image/jpeg")})
    current = source.get(path)
    assert (current["name"], current["description"]) == ("Acme Ltd", "Blue")
    assert current["files"] == [favicon, logo]
    assert logo["eTag"] != brand["files"][0]["eTag"]
    response = source.send("GET", logo["path"])
    assert (response.content, response.headers["content-type"]) == (JPEG, "image/jpeg")
    source.delete(f"{path}/files/favIcon")
    source.get(f"{path}/files/favIcon", expect=404)
    assert source.get(path)["files"] == [logo]
    source.delete(path)
    source.get(path, expect=404)


def test_at_most_one_brand_is_active(source: Api) -> None:
    """Activating a brand deactivates the others. After the active brand is deleted, none is active."""
    one, two = create_brand(source, "One"), create_brand(source, "Two")
    assert source.get(f"{BRANDS}/active") == {}
    for id in (one, two, two):
        assert source.post(f"{BRANDS}/{id}/actions/activate", expect=200)["active"] is True
        active = [brand["id"] for brand in source.everything(BRANDS) if brand["active"]]
        assert active == [id]
        response = source.send("GET", f"{BRANDS}/active")
        assert (response.status_code, response.headers["location"]) == (301, f"{BRANDS}/{id}")
    source.post(f"{BRANDS}/{one}/actions/deactivate", expect=200)
    assert source.get(f"{BRANDS}/{two}")["active"] is True
    source.delete(f"{BRANDS}/{two}")
    assert source.get(f"{BRANDS}/active") == {}


def test_a_page_has_five_brands(source: Api) -> None:
    ids = {create_brand(source, "Same") for _ in range(7)}
    assert len(source.get(BRANDS)["data"]) == 5
    assert {brand["id"] for brand in source.everything(BRANDS)} == ids


@pytest.mark.parametrize(
    ("name", "content", "media_type", "status"),
    [
        ("logo", ICO, "image/x-icon", 400),
        ("logo", JPEG, "image/png", 400),
        ("logo", PNG + bytes(300_000), "image/png", 400),
        ("favIcon", PNG, "image/png", 400),
        ("favIcon", ICO + bytes(100_000), "image/x-icon", 400),
        ("banner", PNG, "image/png", 400),
        ("logo", PNG, "text/plain", 400),
    ],
)
def test_a_bad_file_is_refused(source: Api, name: str, content: bytes, media_type: str, status: int) -> None:
    path = f"{BRANDS}/{create_brand(source)}/files/{name}"
    method = "PUT" if name == "logo" else "POST"
    response = source.send(method, path, files={"file": ("f", content, media_type)})
    assert response.status_code == status, response.text
    error(response.json())


def test_a_file_is_added_once_and_replaced_only_if_it_exists(source: Api) -> None:
    path = f"{BRANDS}/{create_brand(source)}/files"
    source.post(f"{path}/logo", expect=400, files={"file": ("f", PNG, "image/png")})
    source.put(f"{path}/favIcon", expect=404, files={"file": ("f", ICO, "image/x-icon")})
    source.delete(f"{path}/favIcon", expect=404)
    source.put(f"{path}/logo", expect=400, files={"data": (None, "x")})
    source.patch(f"{BRANDS}/{create_brand(source)}", {"/name": ""}, expect=400)
    source.post(BRANDS, expect=400, **form(""))
