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
    Ask,
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    ResourceDriver,
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
    """Where the file of the tenancy's brand is."""
    folder = Path(scratch().name, tenancy.hostname)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / kind


def write(tenancy: Tenancy, kind: str, content: bytes) -> str:
    """Write the file of the tenancy's brand; return its MD5."""
    path(tenancy, kind).write_bytes(content)
    return brand_files.read(path(tenancy, kind), kind).md5


def written(kind: str, content: bytes) -> Callable[[Tenancy], str]:
    return lambda tenancy: write(tenancy, kind, content)


def given(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "name": "Globex",
        "description": "Blue",
        "active": True,
        **{f"{kind}_md5": write(tenancy, kind, content) for kind, content in FILES.items()},
        **{f"{kind}_path": str(path(tenancy, kind)) for kind in FILES},
    }


def plain(tenancy: Tenancy, **changes: Any) -> Inputs:
    """A brand without files."""
    return {"tenant": tenancy.hostname, "name": "Globex", **changes}


def held(tenancy: Tenancy) -> dict[str, Any]:
    return {brand["id"]: brand for brand in tenancy.world.every("brand")}


def md5_at_qlik(found: Inputs, name: str) -> str:
    import base64
    import hashlib

    content = found["_contents"].get(name)
    return content and hashlib.md5(base64.b64decode(content), usedforsecurity=False).hexdigest()


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = held(tenancy).get(id)
    names = {"logo_md5": "logo", "fav_icon_md5": "favIcon", "styles_md5": "styles"}
    return found and {
        **{name: found[name] for name in ("name", "description", "active")},
        **{name: md5_at_qlik(found, file) for name, file in names.items()},
    }


def active(tenancy: Tenancy) -> list[str]:
    return [id for id, brand in held(tenancy).items() if brand["active"]]


def existing(tenancy: Tenancy, inputs: Inputs, ask: Ask) -> str:
    return str(ask("POST", "brands", brand(inputs["name"], logo=PNG + b"theirs"))["id"])


def theirs(tenancy: Tenancy, name: str = "Theirs") -> str:
    """A brand that somebody else made and activated."""
    id = existing(tenancy, {"name": name}, tenancy.world.request)
    tenancy.world.request("POST", f"brands/{id}/actions/activate")
    return id


def etag(name: str) -> Callable[[Tenancy], str]:
    """What Qlik calls the file now."""

    def of_file(tenancy: Tenancy) -> str:
        [found] = held(tenancy).values()
        return next(str(file["eTag"]).strip('"') for file in found["files"] if file["id"] == name)

    return of_file


def renamed(key: str) -> Drift:
    change = [{"op": "replace", "path": f"/{key}", "value": "Mine"}]
    return Drift(lambda t, id: t.world.request("PATCH", f"brands/{id}", change), "Mine")


def uploaded(name: str, content: bytes, media_type: str) -> Drift:
    form = upload(content, media_type)
    return Drift(lambda t, id: t.world.request("PUT", f"brands/{id}/files/{name}", form), etag(name))


CASE = Case(
    "brand",
    given,
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
        "logo_md5": InPlace(written("logo", JPEG), (f"GET {MEMBER}", f"PUT {MEMBER}/files/logo")),
        "fav_icon_md5": InPlace(
            written("fav_icon", ICO + b"2"), (f"GET {MEMBER}", f"PUT {MEMBER}/files/favIcon")
        ),
        "styles_md5": InPlace(written("styles", b"{ }"), (f"GET {MEMBER}", f"PUT {MEMBER}/files/styles")),
    },
    drifts={
        "name": renamed("name"),
        "description": renamed("description"),
        "active": Drift(lambda t, id: t.world.request("POST", f"brands/{id}/actions/deactivate"), False),
        "logo_md5": uploaded("logo", JPEG, "image/jpeg"),
        "fav_icon_md5": uploaded("favIcon", ICO + b"mine", "image/x-icon"),
        "styles_md5": uploaded("styles", b"{  }", "application/json"),
    },
    gone=lambda t, id: t.world.request("DELETE", f"brands/{id}"),
    existing=existing,
    corrected=frozenset({"description", "active", "logo_md5", "fav_icon_md5", "styles_md5"}),
)


def test_a_file_comes_and_goes(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A new one is added, one that is no longer wanted is removed, and one removed at Qlik comes back."""
    made = driver("brand").create(plain(tenancy))
    files = {"logo_md5": write(tenancy, "logo", PNG), "logo_path": str(path(tenancy, "logo"))}
    tenancy.requests()
    made.update(plain(tenancy, **files))
    assert f"POST {PATH}/{made.id}/files/logo" in tenancy.requests()
    assert made.drift() == {}
    tenancy.world.request("DELETE", f"brands/{made.id}/files/logo")
    assert made.drift() == {"logo_md5": ""}
    made.update(made.inputs)
    assert made.drift() == {}
    made.update(plain(tenancy))
    assert held(tenancy)[made.id]["files"] == []
    assert made.drift() == {}


def test_sending_one_file_hides_no_change_of_another(driver: MakeDriver, tenancy: Tenancy) -> None:
    made = driver("brand").create(given(tenancy))
    tenancy.world.request("PUT", f"brands/{made.id}/files/logo", upload(JPEG, "image/jpeg"))
    made.update(made.inputs | {"styles_md5": write(tenancy, "styles", b'{"a": 1}')})
    assert set(made.drift() or {}) == {"logo_md5"}


def test_a_file_that_changes_during_a_run_is_not_sent(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = given(tenancy)
    write(tenancy, "logo", JPEG)
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("brand").create(inputs)
    with pytest.raises(Failure, match="set `logo_path`"):
        driver("brand").create(plain(tenancy, logo_md5=MD5))
    assert held(tenancy) == {}


@pytest.mark.parametrize("end", ["deleted", "switched off"])
def test_what_was_active_before_is_active_again(driver: MakeDriver, tenancy: Tenancy, end: str) -> None:
    before = theirs(tenancy)
    made = driver("brand").create(given(tenancy))
    assert active(tenancy) == [made.id]
    assert made.state["before"] == before
    if end == "deleted":
        made.delete()
        assert list(held(tenancy)) == [before]
    else:
        made.update(made.inputs | {"active": False})
        assert made.drift() == {}
    assert active(tenancy) == [before]


def test_what_was_active_before_is_gone(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Then the tenant shows Qlik's own look."""
    before = theirs(tenancy)
    made = driver("brand").create(given(tenancy))
    tenancy.world.request("DELETE", f"brands/{before}")
    made.delete()
    assert held(tenancy) == {}


def test_what_somebody_activated_meanwhile_stays_active(driver: MakeDriver, tenancy: Tenancy) -> None:
    """As long as nobody asked for ours again."""
    before = theirs(tenancy)
    made = driver("brand").create(given(tenancy))
    other = theirs(tenancy, "Other")
    made.update(made.inputs | {"active": False})
    assert active(tenancy) == [other]
    assert before in held(tenancy)


def test_activated_again_it_remembers_what_was_first(driver: MakeDriver, tenancy: Tenancy) -> None:
    before = theirs(tenancy)
    made = driver("brand").create(given(tenancy))
    theirs(tenancy, "Other")
    assert made.drift() == {"active": False}
    made.update(made.inputs)
    assert active(tenancy) == [made.id]
    made.delete()
    assert active(tenancy) == [before]


def test_a_brand_that_is_not_active_changes_nothing(driver: MakeDriver, tenancy: Tenancy) -> None:
    before = theirs(tenancy)
    made = driver("brand").create(plain(tenancy, active=False))
    assert active(tenancy) == [before]
    assert made.drift() == {}
    made.delete()
    assert active(tenancy) == [before]


def test_a_run_that_ends_before_the_state_has_it(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The next run takes the active brand over, and knows from its note what was active before."""
    before = theirs(tenancy)
    lost = driver("brand").create(given(tenancy))
    made = driver("brand").create(given(tenancy))
    assert made.id == lost.id
    assert made.state["before"] == before


def test_an_activation_that_fails_is_made_good(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The brand is recorded; and where nothing was recorded, the next run finds and activates it."""
    before = theirs(tenancy)
    fault = tenancy.qlik.control.add_fault(path=f"{PATH}/*/actions/activate", status=403)
    with pytest.raises(Failure, match="The object exists"):
        driver("brand").create(given(tenancy))
    assert active(tenancy) == [before]
    tenancy.qlik.control.release(fault)
    made = driver("brand").create(given(tenancy))
    assert len(held(tenancy)) == 2
    assert active(tenancy) == [made.id]
    assert made.state["before"] == before


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_answer_makes_no_second_one(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    made = driver("brand").create(given(tenancy))
    assert held(tenancy).keys() == {made.id}
    assert made.drift() == {}


@pytest.fixture
def in_stack(monkeypatch: pytest.MonkeyPatch) -> Callable[[ResourceDriver], None]:
    """Lets the state of the stack hold a resource."""
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


def test_one_brand_of_the_stack_after_another(
    driver: MakeDriver, tenancy: Tenancy, in_stack: Callable[[ResourceDriver], None]
) -> None:
    """What the second gives back is what was there before the first, in whichever order they are changed."""
    before = theirs(tenancy)
    one = driver("brand").create(given(tenancy))
    in_stack(one)
    notes.forget(stack.current_stack())  # each resource of a stack has notes of its own
    two = driver("brand").create(plain(tenancy, name="Second"))
    assert two.state["before"] == before
    one.update(one.inputs | {"active": False})
    assert active(tenancy) == [two.id]
    two.delete()
    assert active(tenancy) == [before]


def test_a_brand_of_the_stack_is_not_given_back(
    driver: MakeDriver, tenancy: Tenancy, in_stack: Callable[[ResourceDriver], None]
) -> None:
    """It came into the stack later, and its entry says whether it is active."""
    before = theirs(tenancy)
    made = driver("brand").create(given(tenancy))
    adopted = driver("brand").create(plain(tenancy, name="Theirs", active=False, adopt=True))
    assert adopted.id == before
    in_stack(adopted)
    made.delete()
    assert active(tenancy) == []


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
def test_what_qlik_would_refuse(tmp_path: Path, kind: str, content: bytes, message: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        brand_files.read(tmp_path / "file", kind)
