"""Brands: their files, and which one is active."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenantry.providers.framework import notes, stack
from tenantry.providers.framework.engine import Failure
from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values import brand_files
from tests.archives import FOLDER, scratch
from tests.pictures import ICO, JPEG, PNG, brand, upload
from tests.providers.resource_driver import (
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    ResourceDriver,
    SendRequest,
    Tenancy,
)

PATH = "/api/v1/brands"
MEMBER = f"{PATH}/{{id}}"
PATCH = (f"PATCH {MEMBER}",)
MD5 = "0123456789abcdef0123456789abcdef"
SAMPLE = {
    "tenant": "x1y2z3.eu.qlikcloud.com",
    "name": "Globex",
    "description": "Blue",
    "active": False,
    "logo_md5": MD5,
    "fav_icon_md5": MD5,
    "styles_md5": MD5,
    "adopt": True,
}
PICTURES = FOLDER / "brand"
EXAMPLE = {"Globex": {"logo": str(PICTURES / "logo.png"), "fav_icon": str(PICTURES / "icon.ico")}}
FILES = {"logo": PNG, "fav_icon": ICO, "styles": b"{}"}


def path(tenancy: Tenancy, kind: str) -> Path:
    """Return the path of a file of the tenancy's brand."""
    folder = Path(scratch().name, tenancy.hostname)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / kind


def write(tenancy: Tenancy, kind: str, content: bytes) -> str:
    """Write a file of the tenancy's brand and return its MD5."""
    path(tenancy, kind).write_bytes(content)
    return brand_files.read(path(tenancy, kind), kind).md5


def writer(kind: str, content: bytes) -> Callable[[Tenancy], str]:
    """Return a function that writes a file of the tenancy's brand and returns its MD5."""
    return lambda tenancy: write(tenancy, kind, content)


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "name": "Globex",
        "description": "Blue",
        "active": True,
        **{f"{kind}_md5": write(tenancy, kind, content) for kind, content in FILES.items()},
        **{f"{kind}_path": str(path(tenancy, kind)) for kind in FILES},
    }


def plain(tenancy: Tenancy, **changes: Any) -> Inputs:
    """Return the inputs of a brand without files."""
    return {"tenant": tenancy.hostname, "name": "Globex", **changes}


def brands_by_id(tenancy: Tenancy) -> dict[str, Any]:
    return {brand["id"]: brand for brand in tenancy.world.every("brand")}


def md5_at_qlik(found: Inputs, name: str) -> str:
    import base64
    import hashlib

    content = found["_contents"].get(name)
    return content and hashlib.md5(base64.b64decode(content), usedforsecurity=False).hexdigest()


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = brands_by_id(tenancy).get(id)
    names = {"logo_md5": "logo", "fav_icon_md5": "favIcon", "styles_md5": "styles"}
    return found and {
        **{name: found[name] for name in ("name", "description", "active")},
        **{name: md5_at_qlik(found, file) for name, file in names.items()},
    }


def active_brands(tenancy: Tenancy) -> list[str]:
    return [id for id, brand in brands_by_id(tenancy).items() if brand["active"]]


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    return str(send("POST", "brands", brand(inputs["name"], logo=PNG + b"theirs"))["id"])


def create_active_brand(tenancy: Tenancy, name: str = "Theirs") -> str:
    """Create and activate a brand as somebody else. Return its id."""
    id = create_existing(tenancy, {"name": name}, tenancy.world.request)
    tenancy.world.request("POST", f"brands/{id}/actions/activate")
    return id


def etag(name: str) -> Callable[[Tenancy], str]:
    """Return a function that reads the current ETag of a file at Qlik."""

    def of_file(tenancy: Tenancy) -> str:
        [found] = brands_by_id(tenancy).values()
        return next(str(file["eTag"]).strip('"') for file in found["files"] if file["id"] == name)

    return of_file


def patch_drift(key: str) -> Drift:
    change = [{"op": "replace", "path": f"/{key}", "value": "Mine"}]
    return Drift(lambda t, id: t.world.request("PATCH", f"brands/{id}", change), "Mine")


def upload_drift(name: str, content: bytes, media_type: str) -> Drift:
    form = upload(content, media_type)
    return Drift(lambda t, id: t.world.request("PUT", f"brands/{id}/files/{name}", form), etag(name))


CASE = Case(
    "brand",
    inputs_for,
    remote,
    creates=(
        f"GET {PATH}",
        f"POST {PATH}",
        f"GET {PATH}",
        f"POST {MEMBER}/actions/activate",
    ),
    deletes=(f"DELETE {MEMBER}",),
    changes={
        "name": InPlace("Globex 2", PATCH),
        "description": InPlace("", PATCH),
        "active": InPlace(False, (f"POST {MEMBER}/actions/deactivate",)),
        "logo_md5": InPlace(writer("logo", JPEG), (f"GET {MEMBER}", f"PUT {MEMBER}/files/logo")),
        "fav_icon_md5": InPlace(
            writer("fav_icon", ICO + b"2"), (f"GET {MEMBER}", f"PUT {MEMBER}/files/favIcon")
        ),
        "styles_md5": InPlace(writer("styles", b"{ }"), (f"GET {MEMBER}", f"PUT {MEMBER}/files/styles")),
    },
    drifts={
        "name": patch_drift("name"),
        "description": patch_drift("description"),
        "active": Drift(lambda t, id: t.world.request("POST", f"brands/{id}/actions/deactivate"), False),
        "logo_md5": upload_drift("logo", JPEG, "image/jpeg"),
        "fav_icon_md5": upload_drift("favIcon", ICO + b"mine", "image/x-icon"),
        "styles_md5": upload_drift("styles", b"{  }", "application/json"),
    },
    remove=lambda t, id: t.world.request("DELETE", f"brands/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"description", "active", "logo_md5", "fav_icon_md5", "styles_md5"}),
)


def test_an_update_adds_restores_and_removes_a_file(driver: MakeDriver, tenancy: Tenancy) -> None:
    our_brand = driver("brand").create(plain(tenancy))
    files = {"logo_md5": write(tenancy, "logo", PNG), "logo_path": str(path(tenancy, "logo"))}
    tenancy.requests()
    our_brand.update(plain(tenancy, **files))
    assert f"POST {PATH}/{our_brand.id}/files/logo" in tenancy.requests()
    assert our_brand.drift() == {}
    tenancy.world.request("DELETE", f"brands/{our_brand.id}/files/logo")
    assert our_brand.drift() == {"logo_md5": ""}
    our_brand.update(our_brand.inputs)
    assert our_brand.drift() == {}
    our_brand.update(plain(tenancy))
    assert brands_by_id(tenancy)[our_brand.id]["files"] == []
    assert our_brand.drift() == {}


def test_an_update_of_one_file_does_not_hide_drift_of_another(driver: MakeDriver, tenancy: Tenancy) -> None:
    our_brand = driver("brand").create(inputs_for(tenancy))
    tenancy.world.request("PUT", f"brands/{our_brand.id}/files/logo", upload(JPEG, "image/jpeg"))
    our_brand.update(our_brand.inputs | {"styles_md5": write(tenancy, "styles", b'{"a": 1}')})
    assert set(our_brand.drift() or {}) == {"logo_md5"}


def test_a_file_that_changes_during_a_run_is_not_sent(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    write(tenancy, "logo", JPEG)
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("brand").create(inputs)
    with pytest.raises(Failure, match="set `logo_path`"):
        driver("brand").create(plain(tenancy, logo_md5=MD5))
    assert brands_by_id(tenancy) == {}


@pytest.mark.parametrize("end", ["deleted", "deactivated"])
def test_the_previous_brand_becomes_active_again(driver: MakeDriver, tenancy: Tenancy, end: str) -> None:
    before = create_active_brand(tenancy)
    our_brand = driver("brand").create(inputs_for(tenancy))
    assert active_brands(tenancy) == [our_brand.id]
    assert our_brand.state["before"] == before
    if end == "deleted":
        our_brand.delete()
        assert list(brands_by_id(tenancy)) == [before]
    else:
        our_brand.update(our_brand.inputs | {"active": False})
        assert our_brand.drift() == {}
    assert active_brands(tenancy) == [before]


def test_deletion_succeeds_without_the_previously_active_brand(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The tenant then shows the default look of Qlik."""
    before = create_active_brand(tenancy)
    our_brand = driver("brand").create(inputs_for(tenancy))
    tenancy.world.request("DELETE", f"brands/{before}")
    our_brand.delete()
    assert brands_by_id(tenancy) == {}


def test_a_brand_that_somebody_activated_stays_active(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The program sets our brand to inactive, so it does not want ours back."""
    before = create_active_brand(tenancy)
    our_brand = driver("brand").create(inputs_for(tenancy))
    other = create_active_brand(tenancy, "Other")
    our_brand.update(our_brand.inputs | {"active": False})
    assert active_brands(tenancy) == [other]
    assert before in brands_by_id(tenancy)


def test_a_second_activation_keeps_the_originally_active_brand(driver: MakeDriver, tenancy: Tenancy) -> None:
    before = create_active_brand(tenancy)
    our_brand = driver("brand").create(inputs_for(tenancy))
    create_active_brand(tenancy, "Other")
    assert our_brand.drift() == {"active": False}
    our_brand.update(our_brand.inputs)
    assert active_brands(tenancy) == [our_brand.id]
    our_brand.delete()
    assert active_brands(tenancy) == [before]


def test_an_inactive_brand_leaves_the_active_one_alone(driver: MakeDriver, tenancy: Tenancy) -> None:
    before = create_active_brand(tenancy)
    our_brand = driver("brand").create(plain(tenancy, active=False))
    assert active_brands(tenancy) == [before]
    assert our_brand.drift() == {}
    our_brand.delete()
    assert active_brands(tenancy) == [before]


def test_the_next_run_reuses_a_brand_missing_in_the_state(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The note of the killed run names the brand that was active before."""
    before = create_active_brand(tenancy)
    earlier_brand = driver("brand").create(inputs_for(tenancy))
    our_brand = driver("brand").create(inputs_for(tenancy))
    assert our_brand.id == earlier_brand.id
    assert our_brand.state["before"] == before


def test_the_next_run_repeats_a_failed_activation(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The state has no brand here, so the next run finds the brand at Qlik and activates it."""
    before = create_active_brand(tenancy)
    fault = tenancy.qlik.control.add_fault(path=f"{PATH}/*/actions/activate", status=403)
    with pytest.raises(Failure, match="The object exists"):
        driver("brand").create(inputs_for(tenancy))
    assert active_brands(tenancy) == [before]
    tenancy.qlik.control.release(fault)
    our_brand = driver("brand").create(inputs_for(tenancy))
    assert len(brands_by_id(tenancy)) == 2
    assert active_brands(tenancy) == [our_brand.id]
    assert our_brand.state["before"] == before


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_response_creates_no_second_brand(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    our_brand = driver("brand").create(inputs_for(tenancy))
    assert brands_by_id(tenancy).keys() == {our_brand.id}
    assert our_brand.drift() == {}


@pytest.fixture
def add_to_stack(monkeypatch: pytest.MonkeyPatch) -> Callable[[ResourceDriver], None]:
    """Return a function that adds a resource to the state of the stack."""
    resources: list[dict[str, Any]] = []
    monkeypatch.setattr(stack, "state_resources", lambda: resources)
    monkeypatch.setattr(
        stack,
        "holder",
        lambda id, kind: next((resource["urn"] for resource in resources if resource["id"] == id), ""),
    )
    return lambda driver: resources.append(
        {"id": driver.id, "urn": f"urn::{driver.id}", "outputs": driver.state}
    )


def test_two_brands_of_a_stack_share_the_previously_active_brand(
    driver: MakeDriver, tenancy: Tenancy, add_to_stack: Callable[[ResourceDriver], None]
) -> None:
    """The second brand restores the one that was active before the first, in any order of changes."""
    before = create_active_brand(tenancy)
    first = driver("brand").create(inputs_for(tenancy))
    add_to_stack(first)
    notes.forget(stack.current_stack())  # each resource of a stack has notes of its own
    second = driver("brand").create(plain(tenancy, name="Second"))
    assert second.state["before"] == before
    first.update(first.inputs | {"active": False})
    assert active_brands(tenancy) == [second.id]
    second.delete()
    assert active_brands(tenancy) == [before]


def test_a_previously_active_brand_of_the_stack_is_not_reactivated(
    driver: MakeDriver, tenancy: Tenancy, add_to_stack: Callable[[ResourceDriver], None]
) -> None:
    """The stack adopted the brand later. Its entry in the stack file decides whether it is active."""
    before = create_active_brand(tenancy)
    our_brand = driver("brand").create(inputs_for(tenancy))
    adopted = driver("brand").create(plain(tenancy, name="Theirs", active=False, adopt=True))
    assert adopted.id == before
    add_to_stack(adopted)
    our_brand.delete()
    assert active_brands(tenancy) == []


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("logo", ICO, "is not a PNG or JPEG image"),
        ("logo", PNG + bytes(300_000), "it has more than 300,000 bytes"),
        ("fav_icon", PNG, "is not an ICO image"),
        ("styles", b"[]", "is not a JSON object"),
        ("styles", b"{", "is not a JSON object"),
        ("styles", json.dumps({"a": "b" * 100_000}).encode(), "it has more than 100,000 bytes"),
    ],
)
def test_an_invalid_file_is_an_error(tmp_path: Path, kind: str, content: bytes, message: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        brand_files.read(tmp_path / "file", kind)
